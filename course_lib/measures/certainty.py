"""Lower uncertainty, higher accuracy (LUHA): is an exit right where it is sure, and how exact is that?

An accuracy counted on n sentences is inexact. Intervals here are Wilson's of 95 %. A difference counts as
clear above two standard errors, by Agresti and Caffo (2000): one right and one wrong answer are added to
each side, so that a side without a mistake does not look exact.
"""

from dataclasses import dataclass

import numpy as np

from course_lib.measures.calibration import wilson
from course_lib.measures.trace import ExitTrace

FEWEST = 20  # sentences in a bin, below which nothing is concluded from it


@dataclass(frozen=True)
class Bins:
    """One exit's answers in equal bins of uncertainty; each field has one entry a bin.

    Fields:
        right, counts: right answers and sentences.
    """

    right: np.ndarray
    counts: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """NaN where a bin is empty."""
        return np.where(self.counts > 0, self.right / np.maximum(self.counts, 1), np.nan)

    @property
    def filled(self) -> np.ndarray:
        """Whether enough sentences stand in a bin to conclude from it."""
        return self.counts >= FEWEST

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Wilson's 95 % interval of the accuracy: low, high; NaN where a bin is empty."""
        found = wilson(self.right, self.counts)
        return found.low, found.high

    @property
    def surest(self) -> dict[str, float]:
        """The first well-filled bin: its bounds, sentences, accuracy, and how many are wrong in it."""
        first, width = int(self.filled.argmax()), 1 / len(self.counts)
        sentences, right = int(self.counts[first]), int(self.right[first])
        return {
            "low": first * width,
            "high": (first + 1) * width,
            "sentences": sentences,
            "accuracy": right / sentences,
            "wrong": sentences - right,
        }

    def rises(self) -> tuple[int, int]:
        """From one well-filled bin to the next, less certain one: accuracy rises, and clearly rises."""
        at = np.flatnonzero(self.filled)
        gains = [clear_gain(self, high, self, low) for low, high in zip(at, at[1:], strict=False)]
        return sum(gain > 0 for gain, _ in gains), sum(gain > 0 and clear for gain, clear in gains)


def by_uncertainty(trace: ExitTrace, exit: int, bins: int = 10) -> Bins:
    """One exit's answers, by how uncertain they are.

    Raises:
        ValueError: there is no such exit.
    """
    layers = len(trace.probabilities)
    if not 1 <= exit <= layers:
        raise ValueError(f"exit must lie in 1..{layers}, not {exit}")
    correct = trace.probabilities[exit - 1].argmax(-1) == trace.labels  # [N]
    # Uncertainty 1.0 belongs to the last bin.
    bin_of = np.minimum((trace.uncertainties[exit - 1] * bins).astype(int), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    return Bins(np.bincount(bin_of, weights=correct, minlength=bins), counts)


def clear_gain(ours: Bins, our_bin: int, theirs: Bins, their_bin: int) -> tuple[float, bool]:
    """Accuracy of one bin minus another's, and whether that is more than two standard errors."""
    gain = float(ours.accuracy[our_bin] - theirs.accuracy[their_bin])
    variance, shares = 0.0, []
    for bins, number in ((ours, our_bin), (theirs, their_bin)):
        share = (bins.right[number] + 1) / (bins.counts[number] + 2)
        variance += share * (1 - share) / (bins.counts[number] + 2)
        shares.append(share)
    return gain, bool(abs(shares[0] - shares[1]) > 2 * np.sqrt(variance))
