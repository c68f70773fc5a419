"""Does depth follow difficulty? The layer at which worlds leave, by their number of steps."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, ORANGE, describe, new_figure
from course_lib.words import t


def mean_exit_layers(trace: ExitTrace, steps: np.ndarray, speed: float) -> np.ndarray:
    """[S]: the mean exit layer of the worlds with the 1st, 2nd, … number of steps."""
    exit_layer, steps = trace.at(speed).exit_layer, np.asarray(steps)
    return np.array([exit_layer[steps == number].mean() for number in np.unique(steps)])


def exit_layer_by_steps(trace: ExitTrace, steps: np.ndarray, speed: float) -> Figure:
    """Bubbles: how many worlds left at a layer; the line: the mean layer."""
    steps = np.asarray(steps)
    exits, means = trace.at(speed), mean_exit_layers(trace, steps, speed)
    numbers = np.unique(steps)
    layers = len(exits.histogram)
    figure, axes = new_figure()

    for number in numbers:
        counts = np.bincount(exits.exit_layer[steps == number] - 1, minlength=layers)  # [L]
        area = 500 * counts / counts.sum()
        axes.scatter([number] * layers, range(1, layers + 1), s=area, color=BLUE, alpha=0.45, linewidths=0)
    axes.scatter([], [], s=120, color=BLUE, alpha=0.45, label=t("label.share_of_worlds"))  # for the legend
    axes.plot(numbers, means, "o-", color=ORANGE, label=t("label.mean_layer"))

    axes.set(xlabel=t("axis.steps"), ylabel=t("axis.exit_layer"), ylim=(0.3, layers + 0.7))
    axes.set_xlim(numbers[0] - 0.5, numbers[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    title = t(
        "figure.exit_layer_by_steps",
        speed=speed,
        few=numbers[0],
        many=numbers[-1],
        first=means[0],
        last=means[-1],
        accuracy=exits.accuracy,
    )
    axes.set_title(title)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return describe(figure, title)
