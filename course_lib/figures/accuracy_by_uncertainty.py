"""Lower uncertainty, higher accuracy (LUHA): is an exit righter where it is surer, and equally at all exits?

The counterpart of the FastBERT paper's Figure 4, with the number of sentences behind every point.
"""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t

FEWEST = 20  # sentences in a bin, below which a point is drawn hollow and no title rests on it


def by_uncertainty(trace: ExitTrace, exit: int, bins: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """One exit's answers in `bins` equal bins of uncertainty: accuracy [bins], counts [bins].

    The accuracy of an empty bin is NaN.
    """
    layers = len(trace.probabilities)
    if not 1 <= exit <= layers:
        raise ValueError(f"exit must lie in 1..{layers}, not {exit}")
    correct = trace.probabilities[exit - 1].argmax(-1) == trace.labels  # [N]
    # Uncertainty 1.0 belongs to the last bin.
    bin_of = np.minimum((trace.uncertainties[exit - 1] * bins).astype(int), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    hits = np.bincount(bin_of, weights=correct, minlength=bins)
    return np.where(counts > 0, hits / np.maximum(counts, 1), np.nan), counts


def accuracy_by_uncertainty(trace: ExitTrace, exits: list[int], bins: int = 10) -> Figure:
    """Above: accuracy in each bin, a line an exit. Below: how many sentences stand behind a point."""
    figure, (upper, lower) = new_figure(
        height=5.2, nrows=2, sharex=True, gridspec_kw={"height_ratios": [3, 2]}
    )
    centres = (np.arange(bins) + 0.5) / bins
    results = {exit: by_uncertainty(trace, exit, bins) for exit in exits}
    width = 0.8 / bins / len(exits)
    styles = zip((BLUE, ORANGE, GREEN), "os^", strict=True)
    for number, (exit, (colour, marker)) in enumerate(zip(exits, styles, strict=False)):
        accuracy, counts = results[exit]
        some, enough = counts > 0, counts >= FEWEST
        upper.plot(centres[some], accuracy[some], "-", color=colour, linewidth=1, alpha=0.7)
        upper.plot(centres[some & ~enough], accuracy[some & ~enough], marker, color=colour, mfc="white")
        upper.plot(centres[enough], accuracy[enough], marker, color=colour)
        upper.plot([], [], marker + "-", color=colour, label=t("label.exit", exit=exit))
        shift = (number - (len(exits) - 1) / 2) * width
        lower.bar(centres + shift, counts, width=width, color=colour, linewidth=0)

    chance = 1 / trace.probabilities.shape[-1]
    upper.axhline(chance, color="#999999", linestyle=":", linewidth=1)
    lowest = min(np.nanmin(accuracy) for accuracy, _ in results.values())
    upper.set_ylim(max(min(chance, lowest) - 0.05, -0.03), 1.03)
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


def _finding(results: dict[int, tuple[np.ndarray, np.ndarray]], bins: int) -> str:
    """The bin, well filled at every exit, in which the exits' accuracies lie farthest apart."""
    accuracy = np.array([accuracy for accuracy, _ in results.values()])  # [exits, bins]
    filled = np.array([counts >= FEWEST for _, counts in results.values()]).all(0)
    if len(results) < 2 or not filled.any():
        return t("figure.accuracy_by_uncertainty")
    spread = np.where(filled, accuracy.max(0) - accuracy.min(0), -1)  # filled bins hold no NaN
    widest = int(spread.argmax())
    exits = list(results)
    low, high = int(accuracy[:, widest].argmin()), int(accuracy[:, widest].argmax())
    return t(
        "figure.same_uncertainty_other_risk",
        start=widest / bins,
        end=(widest + 1) / bins,
        high_exit=exits[high],
        high=accuracy[high, widest],
        low_exit=exits[low],
        low=accuracy[low, widest],
    )
