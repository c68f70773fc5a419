"""How much depth is worth, task by task: every exit's accuracy, mean over the seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, GREEN, PURPLE, describe, new_figure, percent_axis
from course_lib.words import t

LOOKS = ((BLUE, "o"), (GREEN, "s"), (PURPLE, "^"))


def accuracy_by_exit_of_tasks(
    traces: Mapping[str, Sequence[ExitTrace]], counted: Mapping[str, float] | None = None
) -> Figure:
    """One curve a task; the shade is the range of the seeds, a dashed line what TF-IDF reaches."""
    figure, axes = new_figure()
    gains = {}
    for (task, of_seeds), (color, marker) in zip(traces.items(), LOOKS, strict=False):
        accuracy = np.array([trace.accuracy_by_layer for trace in of_seeds])  # [S, L]
        layers = np.arange(1, accuracy.shape[1] + 1)
        axes.plot(layers, accuracy.mean(0), marker=marker, color=color, label=t(f"task.{task}"))
        axes.fill_between(layers, accuracy.min(0), accuracy.max(0), color=color, alpha=0.2, linewidth=0)
        if counted:
            axes.axhline(counted[task], color=color, linestyle="--", linewidth=1)
        gains[task] = accuracy.mean(0)[-1] - accuracy.mean(0)[0]
    axes.set_xticks(layers)
    percent_axis(axes.yaxis)
    axes.set(xlabel=t("axis.exit"), ylabel=t("axis.accuracy"))
    axes.legend(loc="lower right")
    most, least = max(gains, key=gains.get), min(gains, key=gains.get)
    title = t(
        "figure.accuracy_by_exit_of_tasks",
        most=t(f"task.{most}"),
        high=100 * gains[most],
        least=t(f"task.{least}"),
        low=100 * gains[least],
    )
    axes.set_title(title)
    return describe(figure, title)
