"""Where FastBERT saves and where it does not: its paper's twelve data sets, at one speed."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from course_lib.measures.published import fastbert_savings
from course_lib.style import BLUE, ORANGE, describe, new_figure
from course_lib.words import t

ENOUGH = 2.0  # times fewer FLOPs


def paper_savings(speed: float = 0.1) -> Figure:
    """One bar a data set (paper, Table 2): times fewer counted FLOPs; orange where that is less than two."""
    savings = sorted(fastbert_savings(speed), key=lambda each: each.flops_speedup)
    values = np.array([each.flops_speedup for each in savings])
    figure, axes = new_figure()
    colors = [ORANGE if value < ENOUGH else BLUE for value in values]
    axes.bar([each.dataset.replace(" ", "\n") for each in savings], values, color=colors)
    axes.axhline(ENOUGH, color="#777777", linestyle="--", linewidth=1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.set_ylabel(t("axis.fewer_flops"))
    axes.tick_params(axis="x", labelrotation=90)
    axes.grid(visible=False, axis="x")
    loss = max(each.teacher - each.accuracy for each in savings)
    title = t(
        "figure.paper_savings", speed=speed, few=int((values < ENOUGH).sum()), all=len(values), loss=loss
    )
    axes.set_title(title)
    return describe(figure, title)
