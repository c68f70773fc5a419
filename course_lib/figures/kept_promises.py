"""Is a promise about spoilt answers kept? With the test and without, over many draws of calibration texts."""

import numpy as np
from matplotlib.figure import Figure

from course_lib.measures.guarantee import Coverage
from course_lib.style import BLUE, GREY, INK, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t


def kept_promises(found: Coverage) -> Figure:
    """What is spoilt in truth, draw by draw; right of the line the promise is broken."""
    figure, axes = new_figure()
    highest = max(found.tested.max(), found.untested.max(), 1.2 * found.most)
    bins = np.linspace(0, highest, 21)
    draws = np.ones(len(found.tested)) / len(found.tested)
    for values, color, name in ((found.untested, ORANGE, "untested"), (found.tested, BLUE, "tested")):
        axes.hist(values, bins, weights=draws, color=color, alpha=0.7, label=t(f"guarantee.{name}"))
    axes.axvline(found.most, color=INK, linestyle="--", linewidth=1.5)
    axes.annotate(
        t("guarantee.promised"),
        (found.most, 1),
        xytext=(6, -6),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        color=GREY,
    )
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.set(xlabel=t("axis.spoilt"), ylabel=t("axis.share_of_draws"))
    axes.legend(loc="center right")
    tested, untested = found.broken
    title = t("guarantee.title", tested=tested, untested=untested)
    axes.set_title(title)
    return describe(figure, title)
