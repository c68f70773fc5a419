"""Multiple choice with a model that answers pairs: the choice that is most likely right is taken.

The rows of one question follow each other in the trace, as many as there are choices; class 1 is "right".
Each pair leaves the network by itself, where its exit is certain, so the choices of a question may be
compared by the answers of different exits.

Shapes: L layers, Q questions, K choices, S seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from course_lib.measures.comparison import Contender, mean_flops, mixed
from course_lib.measures.cost import exit_flops, layer_flops
from course_lib.measures.trace import ExitTrace

CHOICES = 4
RIGHT = 1  # the class


@dataclass(frozen=True)
class Choosing:
    """Which choices are taken at one speed.

    Fields:
        chosen: [Q], 0-based.      right: [Q], whether it is the right one.
        accuracy: their mean.      mean_layer: layers a pair, on average.
    """

    chosen: np.ndarray
    right: np.ndarray
    accuracy: float
    mean_layer: float


def accuracy_of_choosing(trace: ExitTrace, choices: int = CHOICES) -> np.ndarray:
    """[L], how often each exit alone chooses right."""
    likely = _by_question(trace.probabilities[..., RIGHT], choices)  # [L, Q, K]
    return (likely.argmax(-1) == _right_choice(trace, choices)).mean(1)


def choose(trace: ExitTrace, speed: float, choices: int = CHOICES) -> Choosing:
    """What is chosen where every pair leaves at `speed`."""
    exits = trace.at(speed)
    pairs = np.arange(len(trace.labels))
    likely = trace.probabilities[exits.exit_layer - 1, pairs, RIGHT]  # [Q K]
    chosen = _by_question(likely, choices).argmax(-1)
    right = chosen == _right_choice(trace, choices)
    return Choosing(chosen, right, float(right.mean()), exits.mean_layer)


def choosing(
    tests: Sequence[ExitTrace], speeds: Sequence[float], measure: str = "entropy", name: str = "early_exit"
) -> Contender:
    """Choosing with early exit, at one speed for each seed, as a contender: a "text" is a question there.

    Its cost is that of a question: of all its pairs.
    """
    found = [
        choose(replace(trace, measure=measure), speed) for trace, speed in zip(tests, speeds, strict=True)
    ]
    exits = [replace(trace, measure=measure).at(speed) for trace, speed in zip(tests, speeds, strict=True)]
    cost = [CHOICES * mean_flops(trace, each.exit_layer) for trace, each in zip(tests, exits, strict=True)]
    right = np.array([each.right for each in found], dtype=float)
    return Contender(name, right, np.array(cost), np.array([each.mean_layer for each in found]))


def choosing_at_fixed_depth(tests: Sequence[ExitTrace], cost: np.ndarray) -> Contender:
    """One depth for all pairs, with that depth's exit alone, at the mean FLOPs `cost` [S] of a question."""
    layers = len(tests[0].probabilities)
    depths = np.repeat(np.arange(1.0, layers + 1)[:, None], len(tests), axis=1)  # [L, S]
    right, costs = [], []
    for trace in tests:
        likely = _by_question(trace.probabilities[..., RIGHT], CHOICES)  # [L, Q, K]
        right.append(likely.argmax(-1) == _right_choice(trace, CHOICES))
        one = layer_flops(trace.config, trace.lengths).mean()
        costs.append(CHOICES * (depths[:, 0] * one + exit_flops(trace.config, trace.lengths).mean()))
    return mixed("fixed_depth", (np.stack(right, 1).astype(float), np.stack(costs, 1), depths), cost)


def choice_metrics(validation: ExitTrace, test: ExitTrace, speeds: dict[str, float]) -> dict:
    """For the run record: the accuracy of choosing by exit, and at some speeds (chosen on `validation`)."""
    return {
        "choices": CHOICES,
        "accuracy_by_layer": accuracy_of_choosing(test).tolist(),
        "validation_accuracy_by_layer": accuracy_of_choosing(validation).tolist(),
        "at_speedup": {
            target: {"speed": speed, "accuracy": found.accuracy, "mean_layer": found.mean_layer}
            for target, speed in speeds.items()
            for found in [choose(test, speed)]
        },
    }


def _by_question(values: np.ndarray, choices: int) -> np.ndarray:
    """[..., Q K] -> [..., Q, K].

    Raises:
        ValueError: the rows are not whole questions.
    """
    if values.shape[-1] % choices:
        raise ValueError(f"{values.shape[-1]} pairs are no whole questions of {choices} choices")
    return values.reshape(*values.shape[:-1], -1, choices)


def _right_choice(trace: ExitTrace, choices: int) -> np.ndarray:
    """[Q], which choice is right.

    Raises:
        ValueError: a question has not exactly one right choice.
    """
    right = _by_question(trace.labels == RIGHT, choices)
    if not (right.sum(-1) == 1).all():
        question = int((right.sum(-1) != 1).argmax())
        raise ValueError(f"question {question} has {int(right[question].sum())} right choices, not 1")
    return right.argmax(-1)
