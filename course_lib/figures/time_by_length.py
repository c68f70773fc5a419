"""What one layer takes, against the length of the text: the clock, and both countings."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from course_lib.measures.bench_length import LengthBench
from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure
from course_lib.words import t


def time_by_length(benches: Sequence[LengthBench]) -> Figure:
    """Each as a multiple of what the shortest text costs, on logarithmic axes."""
    tokens = np.array([each.tokens for each in benches])
    lines = {
        "measured": (np.array([each.milliseconds for each in benches]), BLUE, "o-"),
        "counted": (np.array([each.flops for each in benches]), ORANGE, "s--"),
        "paper": (np.array([each.paper_flops for each in benches]), GREEN, "^:"),
    }
    figure, axes = new_figure(width=9.0, height=4.5)
    times = {}
    for name, (values, colour, style) in lines.items():
        times[name] = values[-1] / values[0]
        axes.plot(
            tokens, values / values[0], style, color=colour, linewidth=2, label=t(f"label.length_{name}")
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(tokens, [str(each) for each in tokens])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.set(xlabel=t("axis.tokens"), ylabel=t("axis.times_the_shortest", tokens=tokens[0]))
    axes.legend()
    said = {"first": tokens[0], "last": tokens[-1], **times}
    title = t("figure.length_title", **said)
    axes.set_title(title)
    return describe(figure, t("figure.length", title=title, **said))
