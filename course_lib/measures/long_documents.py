"""Ways to spend a budget on long documents, as contenders of the course's one comparison.

Two thresholds (`reading`) against the budget spent on the head alone (`head_only`), or on the tail, or both:
first ever more layers of one window, then ever more windows at full depth.

Shapes: S seeds, D documents, L layers, K choices of different cost.
"""

from collections.abc import Sequence

import numpy as np

from course_lib.measures.comparison import Contender, mixed
from course_lib.measures.cost import exit_flops, layer_flops
from course_lib.measures.window_trace import WindowTrace

STEPS = 24  # numbers of windows that are tried; a law may have a thousand


def reading(
    tests: Sequence[WindowTrace], enough: Sequence[float], speeds: Sequence[float], name: str = "reading"
) -> Contender:
    """Two thresholds, one pair of them for each seed. Layers are those of all windows that were read."""
    found = [trace.at(stop, speed) for trace, stop, speed in zip(tests, enough, speeds, strict=True)]
    return Contender(
        name,
        np.array([each.right for each in found], dtype=float),
        np.array([each.flops.mean() for each in found]),
        np.array([each.layers.mean() for each in found]),
    )


def thresholds_for(validations: Sequence[WindowTrace], flops: float) -> list[tuple[float, float]]:
    """For each seed the pair (enough, speed) with the best accuracy at a mean cost of at most `flops`.

    Tried in steps of 0.05, on the validation split; of equals, the cheaper. The cheapest pair where none is
    cheap enough.
    """
    steps = np.linspace(0, 1, 21)
    pairs = []
    for trace in validations:
        found = trace.grid(steps, steps)
        score = np.where(found["flops"] <= flops, found["accuracy"] - 1e-6 * found["flops"] / flops, -1)
        if score.max() < 0:
            score = -found["flops"]
        row, column = np.unravel_index(score.argmax(), score.shape)
        pairs.append((float(steps[row]), float(steps[column])))
    return pairs


def head_only(tests: Sequence[WindowTrace], cost: np.ndarray, part: str = "head") -> Contender:
    """Only the head of each document (or its tail, or both) at the mean FLOPs `cost` [S], without thresholds.

    One window at depth 1 .. L, then more and more windows at full depth, each time with one exit a window.
    """
    layers = len(tests[0].probabilities)
    most = max(int(trace.sizes.max()) for trace in tests)
    counts = np.unique(np.geomspace(1, most, STEPS).round().astype(int))
    choices = [(1, depth) for depth in range(1, layers + 1)] + [(count, layers) for count in counts[1:]]
    found = [[_fixed(trace.chosen(count, part), depth) for trace in tests] for count, depth in choices]
    right = np.array([[each[0] for each in row] for row in found], dtype=float)  # [K, S, D]
    costs, depths = (np.array([[each[place] for each in row] for row in found]) for place in (1, 2))
    return mixed(f"{part}_only", (right, costs, depths), cost)


def _fixed(trace: WindowTrace, depth: int) -> tuple[np.ndarray, float, float]:
    """All windows of the trace through `depth` layers and one exit -> right [D], mean FLOPs, mean layers."""
    ends_there = trace.at_depth(depth)
    flops = depth * layer_flops(trace.config, trace.lengths) + exit_flops(trace.config, trace.lengths)
    documents = len(trace.labels)
    return ends_there, float(flops.sum() / documents), depth * len(trace.lengths) / documents
