"""Which exit can answer which number of steps: accuracy, exit by exit, on the worlds task."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course_lib.figures.heatmap import draw_heatmap
from course_lib.measures.trace import ExitTrace
from course_lib.style import describe, new_figure
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
    figure, axes = new_figure(height=1.2 + 0.65 * len(numbers))
    draw_heatmap(axes, pd.DataFrame(accuracy, numbers, range(1, layers + 1)))
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
