"""Multiple choice: the likeliest of a question's pairs is taken, at every exit and at every speed."""

import numpy as np
import pytest
from tiny import tiny_fastbert

from course_lib.measures.choices import (
    accuracy_of_choosing,
    choice_metrics,
    choose,
    choosing,
    choosing_at_fixed_depth,
)
from course_lib.measures.comparison import difference
from course_lib.measures.trace import ExitTrace


def pairs(seed=0, questions=40, layers=4) -> ExitTrace:
    draw = np.random.default_rng(seed)
    right = draw.integers(0, 4, questions)
    labels = (np.arange(4) == right[:, None]).astype(int).ravel()
    likely = 1 / (1 + np.exp(-draw.normal(1.0 * labels - 0.5, 1, (layers, 4 * questions))))
    probabilities = np.stack([1 - likely, likely], -1).astype(np.float32)
    return ExitTrace(
        probabilities, labels, draw.integers(9, 24, len(labels)), tiny_fastbert(layers, 2).config
    )


def by_hand(trace: ExitTrace, speed: float) -> list[bool]:
    found = []
    for start in range(0, len(trace.labels), 4):
        scores = []
        for pair in range(start, start + 4):
            below = np.flatnonzero(trace.uncertainties[:-1, pair] < speed)
            layer = below[0] if len(below) else len(trace.probabilities) - 1
            scores.append(trace.probabilities[layer, pair, 1])
        found.append(trace.labels[start + int(np.argmax(scores))] == 1)
    return found


@pytest.mark.parametrize("speed", [0.0, 0.4, 0.8, 1.0])
def test_the_likeliest_choice_is_taken(speed):
    trace = pairs()
    found = choose(trace, speed)
    assert found.right.tolist() == by_hand(trace, speed)
    assert found.accuracy == pytest.approx(np.mean(by_hand(trace, speed)))
    assert found.mean_layer == trace.at(speed).mean_layer


def test_the_exits_alone_are_the_limits():
    trace = pairs()
    accuracies = accuracy_of_choosing(trace)
    assert accuracies[-1] == choose(trace, 0.0).accuracy and accuracies[0] == choose(trace, 1.0).accuracy
    metrics = choice_metrics(pairs(1), trace, {"2": 0.4})
    assert metrics["accuracy_by_layer"] == accuracies.tolist()
    assert metrics["at_speedup"]["2"]["accuracy"] == choose(trace, 0.4).accuracy


def test_rivals_spend_the_same_on_the_same_questions():
    tests = [pairs(seed) for seed in (1, 2)]
    ours = choosing(tests, [0.9, 0.8])
    theirs = choosing_at_fixed_depth(tests, ours.cost)
    np.testing.assert_allclose(theirs.cost, ours.cost)
    assert ours.right.shape == theirs.right.shape == (2, 40)
    assert difference(ours, theirs, draws=100).low <= difference(ours, theirs, draws=100).high
    deepest = choosing_at_fixed_depth(tests, np.full(2, 1e18))
    assert deepest.accuracy == pytest.approx(np.mean([accuracy_of_choosing(trace)[-1] for trace in tests]))


def test_rows_that_are_no_questions_are_refused():
    trace = pairs()
    with pytest.raises(ValueError, match="160 pairs are no whole questions of 3 choices"):
        accuracy_of_choosing(trace, choices=3)
    with pytest.raises(ValueError, match="question 0 has 2 right choices, not 1"):
        accuracy_of_choosing(trace, choices=8)
