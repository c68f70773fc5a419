"""Is an exit as often right as it says? And is one threshold one risk?

Shapes: L layers, N texts, K bins.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_lib.measures.trace import ExitTrace

Z = 1.96  # standard deviations on either side that hold 95 %


@dataclass(frozen=True)
class Shares:
    """How often something holds, bin by bin, with Wilson's 95 % interval.

    Fields:
        share, low, high: [K], NaN where a bin is empty.     count: [K].
    """

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


def wilson(hits: np.ndarray, count: np.ndarray) -> Shares:
    """Hits of count [K] -> shares with their interval (Wilson 1927), right also near 0 and 1."""
    hits, count = np.asarray(hits, dtype=float), np.asarray(count, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / count
        centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
        half = Z * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2)) / (1 + Z**2 / count)
    return Shares(share, centre - half, centre + half, count.astype(int))


def reliability(trace: ExitTrace, bins: int = 8) -> pd.DataFrame:
    """Accuracy by confidence (the likeliest class's probability), exit by exit.

    Bins hold equally many texts of an exit, so that none is empty and error bars are alike.

    Returns:
        One row for each exit and bin: layer, confidence (mean), accuracy, low, high, count.
    """
    confidence = trace.probabilities.max(-1)  # [L, N]
    right = trace.probabilities.argmax(-1) == trace.labels
    rows = []
    for layer, (sure, hit) in enumerate(zip(confidence, right, strict=True), start=1):
        for part in np.array_split(np.argsort(sure, kind="stable"), bins):
            found = wilson(hit[part].sum(), len(part))
            rows.append(
                {
                    "layer": layer,
                    "confidence": float(sure[part].mean()),
                    "accuracy": float(found.share),
                    "low": float(found.low),
                    "high": float(found.high),
                    "count": int(found.count),
                }
            )
    return pd.DataFrame(rows)


def calibration_error(trace: ExitTrace, bins: int = 8) -> np.ndarray:
    """[L], the mean distance of confidence and accuracy over the bins of `reliability`, weighted by texts."""
    table = reliability(trace, bins)
    distance = (table["confidence"] - table["accuracy"]).abs() * table["count"]
    return (distance.groupby(table["layer"]).sum() / table.groupby("layer")["count"].sum()).to_numpy()


def risk_by_layer(trace: ExitTrace, speed: float) -> Shares:
    """Of the texts that leave at each layer at one speed, how many are answered wrongly -> [L]."""
    exits = trace.at(speed)
    wrong = exits.predictions != trace.labels
    layers = len(trace.probabilities)
    hits = np.bincount(exits.exit_layer - 1, weights=wrong, minlength=layers)
    return wilson(hits, exits.histogram)
