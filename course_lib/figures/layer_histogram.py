"""How many sentences leave at each layer, at one speed."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, describe, new_figure
from course_lib.words import t


def layer_histogram(trace: ExitTrace, speed: float) -> Figure:
    """The histogram at `speed`, its title with the mean layer, accuracy and FLOPs speed-up."""
    exits = trace.at(speed)
    figure, axes = new_figure()
    draw_layer_histogram(axes, exits.histogram)
    title = t(
        "figure.layer_histogram",
        speed=speed,
        mean=exits.mean_layer,
        layers=len(exits.histogram),
        accuracy=exits.accuracy,
    )
    axes.set_title(title)
    return describe(figure, title)


def draw_layer_histogram(axes: Axes, histogram: np.ndarray) -> BarContainer:
    """Draws counts [L] as shares on axes whose limits suit every speed; returns the bars."""
    layers = len(histogram)
    bars = axes.bar(range(1, layers + 1), shares(histogram), color=BLUE, width=0.8)
    axes.set(xlim=(0.3, layers + 0.7), ylim=(0, 1), xlabel=t("axis.exit_layer"), ylabel=t("axis.share"))
    axes.set_xticks(range(1, layers + 1))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(visible=False, axis="x")
    return bars


def shares(histogram: np.ndarray) -> np.ndarray:
    """Counts [L] -> shares [L] that sum to 1."""
    return histogram / histogram.sum()
