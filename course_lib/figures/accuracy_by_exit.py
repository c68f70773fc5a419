"""Every exit's accuracy on the same sentences, if all of them left there."""

from matplotlib.figure import Figure

from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, GREY, describe, new_figure, percent_axis
from course_lib.words import t


def accuracy_by_exit(trace: ExitTrace) -> Figure:
    """One point an exit; the dashed line is the teacher, the last exit."""
    accuracy = trace.accuracy_by_layer  # [L]
    layers = range(1, len(accuracy) + 1)
    figure, axes = new_figure()

    axes.axhline(accuracy[-1], color=GREY, linestyle="--", label=t("label.teacher"))
    axes.plot(layers, accuracy, "o-", color=BLUE, label=t("label.exits"))

    # At least 10 points high: a difference of a tenth must not look like a cliff.
    low, high = min(accuracy.min(), accuracy.max() - 0.10), accuracy.max()
    axes.set_ylim(low - 0.02, min(high + 0.02, 1.01))
    percent_axis(axes.yaxis)
    axes.set_xticks(layers)
    axes.set(xlabel=t("axis.exit"), ylabel=t("axis.accuracy"))
    title = t("figure.accuracy_by_exit", first=accuracy[0], last=accuracy[-1], layers=len(accuracy))
    axes.set_title(title)
    axes.legend(loc="lower right")
    return describe(figure, title)
