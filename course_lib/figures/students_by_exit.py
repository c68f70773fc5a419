"""What self-distillation makes of the students: accuracy exit by exit, before it and after it."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from course_lib.style import BLUE, GREY, ORANGE, PURPLE, describe, new_figure, percent_axis
from course_lib.words import t

LOOKS = {
    "untrained": {"color": GREY, "marker": "x", "linestyle": ":"},
    "reviews": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "newspaper": {"color": ORANGE, "marker": "s", "linestyle": "-"},
    "recorded": {"color": PURPLE, "marker": "D", "linestyle": "--"},
}


def students_by_exit(accuracies: Mapping[str, np.ndarray]) -> Figure:
    """One line for each of `LOOKS` that is there: all exits' accuracy [L]; the last is the teacher's."""
    figure, axes = new_figure()
    for name, accuracy in accuracies.items():
        layers = np.arange(1, len(accuracy) + 1)
        axes.plot(layers, accuracy, label=t(f"distilled.{name}"), linewidth=2, markersize=7, **LOOKS[name])
    axes.set_xticks(layers)
    axes.set(xlabel=t("axis.exit"), ylabel=t("axis.accuracy"))
    percent_axis(axes.yaxis)
    axes.legend(loc="lower right", frameon=True, framealpha=1, edgecolor="white")
    means = {name: float(np.mean(each[:-1])) for name, each in accuracies.items()}
    name = next(each for each in means if each != "untrained")
    title = t("figure.students_by_exit", before=means["untrained"], after=means[name])
    axes.set_title(title)
    cells = [
        t("figure.students_by_exit_cell", name=t(f"distilled.{each}"), mean=means[each]) for each in means
    ]
    return describe(figure, f"{title}{t('list.semicolon')}{t('list.semicolon').join(cells)}")
