"""Lower uncertainty, higher accuracy (LUHA): is an exit righter where it is surer, and equally at all exits?

The counterpart of the FastBERT paper's Figure 4, with the sentences behind every point and its 95 % interval.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from course_lib.measures.certainty import Bins, by_uncertainty, clear_gain
from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t

STYLES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"))


def accuracy_by_uncertainty(trace: ExitTrace, exits: list[int], bins: int = 10) -> Figure:
    """Above: accuracy in each bin and its 95 % interval, a line an exit. Below: the sentences behind it.

    Hollow points rest on few sentences (see `measures.certainty`); no title rests on them.
    """
    figure, (upper, lower) = new_figure(
        height=5.2, nrows=2, sharex=True, gridspec_kw={"height_ratios": [3, 2]}
    )
    centres = (np.arange(bins) + 0.5) / bins
    results = {exit: by_uncertainty(trace, exit, bins) for exit in exits}
    width = 0.8 / bins / len(exits)
    for number, (exit, found) in enumerate(results.items()):
        places = centres + (number - (len(exits) - 1) / 2) * width  # beside each other, not on top
        _draw_accuracy(upper, places, found, *STYLES[number], t("label.exit", exit=exit))
        lower.bar(places, found.counts, width=width, color=STYLES[number][0], linewidth=0)

    chance = 1 / trace.probabilities.shape[-1]
    upper.axhline(chance, color="#999999", linestyle=":", linewidth=1)
    lowest = min(np.nanmin(found.interval[0]) for found in results.values())
    upper.set_ylim(max(min(chance, lowest) - 0.03, -0.03), 1.03)
    percent_axis(upper.yaxis)
    upper.set_ylabel(t("axis.accuracy"))
    upper.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    lower.set_yscale("log")
    lower.set_ylim(bottom=1)
    lower.yaxis.set_major_formatter("{x:g}")
    lower.yaxis.set_minor_formatter(NullFormatter())
    lower.set(xlabel=t("axis.uncertainty"), ylabel=t("axis.sentences"), xlim=(0, 1))
    title = _finding(results, bins)
    upper.set_title(title)
    return describe(figure, title)


def _draw_accuracy(axes: Axes, places: np.ndarray, found: Bins, color: str, marker: str, label: str) -> None:
    """One exit's accuracies at `places`, with their intervals."""
    accuracy, some = found.accuracy, found.counts > 0
    low, high = found.interval
    reach = np.array([accuracy - low, high - accuracy]).clip(0)
    axes.plot(places[some], accuracy[some], "-", color=color, linewidth=1, alpha=0.7)
    for bins, fill in ((some & found.filled, color), (some & ~found.filled, "white")):
        axes.errorbar(
            places[bins], accuracy[bins], reach[:, bins], fmt=marker, color=color, mfc=fill, elinewidth=1
        )
    axes.plot([], [], marker + "-", color=color, label=label)


def _finding(results: dict[int, Bins], bins: int) -> str:
    """The bin in which two exits lie farthest apart, of those where that is no accident of few sentences."""
    gains = [
        (*clear_gain(ours, number, theirs, number), number, our_exit, their_exit)
        for number in range(bins)
        for our_exit, ours in results.items()
        for their_exit, theirs in results.items()
        if our_exit != their_exit and ours.filled[number] and theirs.filled[number]
    ]
    clear = [each for each in gains if each[1]]
    if not clear:
        return t("figure.accuracy_by_uncertainty")
    _, _, widest, high, low = max(clear)
    return t(
        "figure.same_uncertainty_other_risk",
        start=widest / bins,
        end=(widest + 1) / bins,
        high_exit=high,
        high=results[high].accuracy[widest],
        low_exit=low,
        low=results[low].accuracy[widest],
    )
