"""What depth changes, sentence by sentence: which answers the teacher mends, and which it spoils."""

import numpy as np

from course_lib.measures.trace import ExitTrace


def outcomes(trace: ExitTrace) -> dict[str, np.ndarray]:
    """Masks [N] of four groups; what only middle exits get right or wrong is in none of them."""
    right = trace.probabilities.argmax(-1) == trace.labels  # [L, N]
    return {
        "mended": ~right[0] & right[-1],
        "spoilt": right[0] & ~right[-1],
        "always_right": right.all(0),
        "always_wrong": ~right.any(0),
    }


def shortest(trace: ExitTrace, group: np.ndarray, number: int = 4) -> np.ndarray:
    """The `number` shortest sentences of a group (a mask [N]), by their numbers."""
    members = np.flatnonzero(group)
    return members[np.argsort(trace.lengths[members], kind="stable")][:number]


def slowest_of_batches(exit_layers: np.ndarray, batch_size: int) -> float:
    """The layer at which a batch is answered as a whole, on average; an unfilled batch is left out."""
    whole = len(exit_layers) // batch_size * batch_size
    return float(exit_layers[:whole].reshape(-1, batch_size).max(1).mean())


def enough_exits(accuracy: np.ndarray, least: float = 0.95) -> list[int | None]:
    """For each row of accuracies [S, L] the first exit, from 1, that reaches `least`; None if none does."""
    return [int((row >= least).argmax()) + 1 if (row >= least).any() else None for row in accuracy]
