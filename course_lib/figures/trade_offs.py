"""Early exit on two backbones: both trade-off curves, seed by seed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from course_lib.figures.studies import look
from course_lib.measures.comparison import Difference, difference_of_seeds
from course_lib.measures.report import seed_records
from course_lib.paths import RUNS
from course_lib.style import describe, new_figure, percent_axis
from course_lib.words import t

SAVINGS = np.linspace(1.0, 8.0, 29)  # FLOPs speed-ups at which the curves are compared


def curve_of(recipe: str, runs: Path = RUNS) -> np.ndarray:
    """Accuracy [seeds, X] of a FastBERT recipe at `SAVINGS`, on the test split, by interpolation."""
    curves = [record["metrics"]["tradeoff"] for record in seed_records(recipe, runs)]
    return np.array([np.interp(SAVINGS, each["flops_speedup"], each["accuracy"]) for each in curves])


def at_saving(curves: np.ndarray, saving: float) -> np.ndarray:
    """Accuracy [seeds] of `curve_of` at one FLOPs speed-up."""
    return np.array([np.interp(saving, SAVINGS, curve) for curve in curves])


def gains_at_savings(ours: np.ndarray, theirs: np.ndarray, savings: Sequence[float]) -> dict[str, Difference]:
    """By times fewer FLOPs ("4×"): how far one of two `curve_of` is ahead, over the seeds."""
    return {
        f"{saving:g}×": difference_of_seeds(at_saving(ours, saving), at_saving(theirs, saving))
        for saving in savings
    }


def trade_offs(curves: dict[str, np.ndarray]) -> Figure:
    """One line for each of two studies (see `curve_of`), the mean over its seeds.

    The faint lines are single seeds; the title compares the two where four times the FLOPs are saved.
    """
    figure, axes = new_figure()
    for study, curve in curves.items():
        style = look(study) | {"marker": None}
        mean = curve.mean(0)
        axes.plot(SAVINGS, mean, linewidth=2, **style)
        axes.plot(SAVINGS, curve.T, linewidth=0.8, alpha=0.5, color=style["color"])
    best = max(curve.mean(0).max() for curve in curves.values())
    axes.set_ylim(min(best - 0.10, *(curve.min() for curve in curves.values())) - 0.01, best + 0.02)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    percent_axis(axes.yaxis)
    axes.set(xlabel=t("axis.flops_speedup"), ylabel=t("axis.accuracy"))
    first, second = (at_saving(curve, 4).mean() for curve in curves.values())
    title = t("figure.trade_offs", points=100 * (second - first), saving=4)
    axes.set_title(title)
    axes.legend(loc="lower left")
    return describe(figure, title)
