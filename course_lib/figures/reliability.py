"""Is an exit as often right as it says? Confidence against accuracy, exit by exit, with error bars."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_lib.measures.calibration import calibration_error, reliability, risk_by_layer
from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, GREY, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t


def reliability_by_exit(trace: ExitTrace, exits: Sequence[int] | None = None, bins: int = 8) -> Figure:
    """One panel an exit (four if not given); below the diagonal an exit boasts, above it is modest."""
    layers = len(trace.probabilities)
    chosen = exits or sorted({1, max(layers // 4, 2), layers // 2, layers})
    table, error = reliability(trace, bins), calibration_error(trace, bins)
    figure, panels = new_figure(11, 3.8, ncols=len(chosen), sharex=True, sharey=True)
    low = min(table["confidence"].min(), table["low"].min()) - 0.02
    for axes, exit in zip(np.atleast_1d(panels), chosen, strict=True):
        part = table[table["layer"] == exit]
        bars = [part["accuracy"] - part["low"], part["high"] - part["accuracy"]]
        axes.plot([low, 1], [low, 1], color=GREY, linestyle="--", linewidth=1)
        axes.errorbar(part["confidence"], part["accuracy"], bars, fmt="o-", color=BLUE, capsize=3)
        axes.set_title(t("reliability.panel", exit=exit, error=100 * error[exit - 1]))
        axes.set(xlim=(low, 1.01), ylim=(low, 1.03), xlabel=t("axis.confidence"))
        percent_axis(axes.xaxis)
        percent_axis(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(3))
    np.atleast_1d(panels)[0].set_ylabel(t("axis.accuracy"))
    best, worst = int(error.argmin()) + 1, int(error.argmax()) + 1
    title = t("reliability.title", best=best, least=100 * error.min(), worst=worst, most=100 * error.max())
    figure.suptitle(title, x=0.01, ha="left", fontsize=14)
    return describe(figure, title)


def risk_of_one_threshold(trace: ExitTrace, speed: float = 0.5) -> Figure:
    """Of the sentences that leave at each layer at one speed, how many are wrong, with its error."""
    risk = risk_by_layer(trace, speed)
    layers = np.arange(1, len(risk.share) + 1)
    enough = risk.count >= 10  # fewer say nothing
    figure, axes = new_figure()
    share, low, high = (100 * values[enough] for values in (risk.share, risk.low, risk.high))
    axes.bar(layers[enough], share, color=BLUE, alpha=0.85)
    axes.errorbar(layers[enough], share, [share - low, high - share], fmt="none", color=ORANGE, capsize=4)
    for layer, top, count in zip(layers[enough], high, risk.count[enough], strict=True):
        axes.annotate(str(count), (layer, top), xytext=(0, 4), textcoords="offset points", ha="center")
    axes.set_xticks(layers)
    axes.set_ylim(0, max(high.max() * 1.15, 5))
    axes.set(xlabel=t("axis.exit_layer"), ylabel=t("axis.wrong_percent"))
    title = t("reliability.risk", speed=speed, least=share.min(), most=share.max())
    axes.set_title(title)
    return describe(figure, title)
