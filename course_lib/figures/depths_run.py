"""How deep the network is, step by step: the depths that LayerDrop trains at each drop rate."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom

from course_lib.style import BLUE, PURPLE, describe, new_figure, percent_axis
from course_lib.words import t

COLOURS = (BLUE, PURPLE)


def depths_run(rates: Sequence[float], num_layers: int) -> Figure:
    """Shares of steps by number of layers that run: the binomial law of independent coins.

    (The spared layer, where all coins say drop, is too rare to be seen.)
    """
    numbers = np.arange(num_layers + 1)
    figure, axes = new_figure()
    width = 0.8 / len(rates)
    for place, (rate, color) in enumerate(zip(rates, COLOURS, strict=False)):
        shares = binom.pmf(numbers, num_layers, 1 - rate)
        axes.bar(
            numbers + (place - (len(rates) - 1) / 2) * width,
            shares,
            width,
            color=color,
            label=f"p = {rate:g}",
        )
    axes.set_xticks(numbers)
    percent_axis(axes.yaxis)
    axes.set(xlim=(0.4, num_layers + 0.6), xlabel=t("axis.layers_run"), ylabel=t("axis.share_of_steps"))
    axes.legend(loc="upper left")
    half = num_layers // 2
    low, high = (binom.cdf(half, num_layers, 1 - rate) for rate in (rates[0], rates[-1]))
    title = t("figure.depths_run", half=half, low=low, high=high, first=rates[0], last=rates[-1])
    axes.set_title(title)
    return describe(figure, title)
