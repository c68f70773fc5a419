"""What speed costs: accuracy against counted FLOPs, for every threshold, and for fixed depths beside it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from course_lib.measures.cost import exit_flops, full_flops, layer_flops
from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, GREY, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t

SPEEDS = np.linspace(0, 1, 201)


def trade_off(trace: ExitTrace, speed: float | None = None) -> Figure:
    """The curve, and the point of one speed; the title tells what one point of accuracy buys."""
    figure, axes = new_figure()
    draw_trade_off(axes, trace)
    if speed is None:
        curve = trace.sweep(SPEEDS)
        affordable = curve["accuracy"] >= trace.accuracy_by_layer[-1] - 0.01
        best = np.where(affordable, curve["flops_speedup"], 0).max()
        title = t("figure.trade_off", speedup=best, layers=len(trace.probabilities))
    else:
        exits = trace.at(speed)
        axes.plot([exits.flops_speedup], [exits.accuracy], "o", color=ORANGE, markersize=11)
        title = t("figure.trade_off_at", speed=speed, accuracy=exits.accuracy, speedup=exits.flops_speedup)
    axes.set_title(title)
    axes.legend(loc="lower left")
    return describe(figure, title)


def draw_trade_off(axes: Axes, trace: ExitTrace) -> None:
    """The curve over all speeds and the fixed depths, on axes whose limits suit every speed."""
    curve = trace.sweep(SPEEDS)
    accuracy, speedup = fixed_depths(trace)
    teacher = trace.accuracy_by_layer[-1]
    axes.axhline(teacher, color=GREY, linestyle="--", linewidth=1)
    axes.plot(speedup, accuracy, "s", color=GREY, markersize=5, alpha=0.8, label=t("label.fixed_depth"))
    axes.plot(curve["flops_speedup"], curve["accuracy"], color=BLUE, linewidth=2, label=t("label.adaptive"))

    low = min(accuracy.min(), curve["accuracy"].min(), teacher - 0.10)
    axes.set_ylim(low - 0.02, min(max(accuracy.max(), curve["accuracy"].max()) + 0.03, 1.02))
    axes.set_xscale("log", base=2)
    axes.set_xlim(0.85, 1.15 * max(speedup.max(), curve["flops_speedup"].max()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    percent_axis(axes.yaxis)
    axes.set(xlabel=t("axis.flops_speedup"), ylabel=t("axis.accuracy"))


def fixed_depths(trace: ExitTrace) -> tuple[np.ndarray, np.ndarray]:
    """The rival without thresholds: cut the network after layer l, keep that one exit, use it for all.

    Returns accuracy [L] and FLOPs speed-up [L].
    """
    config, lengths = trace.config, trace.lengths
    layer, exit = layer_flops(config, lengths).sum(), exit_flops(config, lengths).sum()
    depths = np.arange(1, len(trace.probabilities) + 1)
    return trace.accuracy_by_layer, full_flops(config, lengths).sum() / (depths * layer + exit)
