"""Which exit can answer which number of steps: accuracy, exit by exit, on the worlds task."""

import numpy as np
import seaborn
from matplotlib.figure import Figure

from course_lib.style import describe, new_figure
from course_lib.trace import ExitTrace
from course_lib.words import t


def accuracy_table(trace: ExitTrace, steps: np.ndarray) -> np.ndarray:
    """[S, L]: the accuracy of each exit on the worlds with the 1st, 2nd, … number of steps."""
    steps = np.asarray(steps)
    correct = trace.probabilities.argmax(-1) == trace.labels  # [L, N]
    return np.array([correct[:, steps == number].mean(1) for number in np.unique(steps)])


def accuracy_by_steps(trace: ExitTrace, steps: np.ndarray) -> Figure:
    """A table in colours: one row for each number of steps, one column for each exit."""
    accuracy = accuracy_table(trace, steps)  # [S, L]
    numbers = np.unique(steps)
    layers = accuracy.shape[1]
    figure, axes = new_figure(height=0.9 + 0.55 * len(numbers))

    seaborn.heatmap(
        100 * accuracy,
        ax=axes,
        annot=True,
        fmt=".0f",
        vmin=0,
        vmax=100,
        cmap="cividis",  # made for colour-blind readers
        linewidths=1,
        cbar_kws={"label": t("axis.accuracy_percent")},
        xticklabels=[str(layer) for layer in range(1, layers + 1)],
        yticklabels=[str(number) for number in numbers],
    )
    axes.tick_params(axis="y", rotation=0)
    axes.set(xlabel=t("axis.exit"), ylabel=t("axis.steps"))
    title = t(
        "figure.accuracy_by_steps",
        first=accuracy[-1, 0],
        last=accuracy[-1, -1],
        steps=numbers[-1],
        layers=layers,
    )
    axes.set_title(title)
    return describe(figure, title)
