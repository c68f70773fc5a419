"""One way to compare: equal cost is equal, limits with known answers hold, intervals cover."""

import numpy as np
import pytest

from course_lib.measures.comparison import (
    Contender,
    difference,
    difference_of_seeds,
    early_exit,
    first_exit,
    fixed_depth,
    fixed_depth_on_the_clock,
    one_speed,
    patience,
    random_exit,
    speeds_for,
    static,
    whole_network,
)
from course_lib.measures.cost import flops, full_flops
from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import FastBertConfig

LAYERS = 6


def made_up(seed=0, sentences=400, classes=3) -> ExitTrace:
    """Exits that get better with depth and are right more often where they are sure."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, sentences)
    logits = np.cumsum(random.normal(0, 1, (LAYERS, sentences, classes)), 0)
    logits[:, np.arange(sentences), labels] += np.linspace(0.5, 4, LAYERS)[:, None]
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    config = FastBertConfig(
        num_hidden_layers=LAYERS,
        hidden_size=64,
        intermediate_size=128,
        exit_hidden_size=32,
        num_labels=classes,
    )
    return ExitTrace(probabilities.astype(np.float32), labels, random.integers(5, 60, sentences), config)


TESTS = [made_up(seed) for seed in (0, 1, 2)]
VALIDATIONS = [made_up(seed) for seed in (3, 4, 5)]


def test_speed_0_is_the_whole_network_and_pays_for_its_exits():
    early, whole = early_exit(TESTS, [0.0] * 3), whole_network(TESTS)
    np.testing.assert_array_equal(early.right, whole.right)
    assert (early.cost > whole.cost).all() and (whole.layers == LAYERS).all()
    expected = [full_flops(trace.config, trace.lengths).mean() for trace in TESTS]
    np.testing.assert_allclose(whole.cost, expected)
    assert difference(early, whole) == difference(whole, early)


@pytest.mark.parametrize("speedup", [1.2, 2, 3])
def test_rivals_cost_what_early_exit_costs(speedup):
    speeds = speeds_for(VALIDATIONS, speedup)
    early = early_exit(TESTS, speeds)
    by_chance = random_exit(TESTS, early, speeds)
    for rival in (fixed_depth(TESTS, early.cost), patience(TESTS, early.cost), by_chance):
        np.testing.assert_allclose(rival.cost, early.cost)
        assert rival.right.shape == early.right.shape and ((0 <= rival.right) & (rival.right <= 1)).all()
    assert early.accuracy > by_chance.accuracy  # its certainty says something


def test_early_exit_costs_what_the_counting_says():
    speeds = [0.5, 0.4, 0.3]
    early = early_exit(TESTS, speeds)
    for trace, speed, cost in zip(TESTS, speeds, early.cost, strict=True):
        assert cost == pytest.approx(flops(trace.config, trace.lengths, trace.at(speed).exit_layer).mean())


def test_a_fixed_depth_between_two_layers_is_their_mixture():
    costs = np.array([fixed_depth([trace], [0.0]).cost[0] for trace in TESTS])  # layer 1, the cheapest
    one = fixed_depth(TESTS, np.zeros(3))
    two_up = whole_network(TESTS).cost - (whole_network(TESTS).cost - one.cost) * (LAYERS - 2) / (LAYERS - 1)
    half = fixed_depth(TESTS, (one.cost + two_up) / 2)
    np.testing.assert_allclose(one.cost, costs)
    np.testing.assert_allclose(half.layers, 1.5)
    second = fixed_depth(TESTS, two_up)
    np.testing.assert_allclose(half.right, (one.right + second.right) / 2, atol=1e-9)


def test_beyond_what_there_is_the_nearest_answers_alone():
    whole = whole_network(TESTS)
    np.testing.assert_array_equal(fixed_depth(TESTS, whole.cost * 5).right, whole.right)
    assert (fixed_depth(TESTS, whole.cost * 0).layers == 1).all()


def test_on_the_clock_another_depth_may_be_equal():
    whole = whole_network(TESTS)
    same = fixed_depth_on_the_clock(TESTS, np.arange(1.0, LAYERS + 1), np.full(3, 2.5))
    np.testing.assert_allclose(same.layers, 2.5)
    slow_start = fixed_depth_on_the_clock(TESTS, np.linspace(2.0, 3.0, LAYERS), np.full(3, 3.0))
    np.testing.assert_array_equal(slow_start.right, whole.right)


def test_patience_by_hand():
    answers = [[0, 1, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1]]  # three texts, four exits
    probabilities = np.zeros((4, 3, 2), np.float32)
    for text, row in enumerate(answers):
        for layer, answer in enumerate(row):
            probabilities[layer, text] = [0.9, 0.1] if answer == 0 else [0.1, 0.9]
    config = FastBertConfig(num_hidden_layers=4, hidden_size=64, intermediate_size=128, exit_hidden_size=32)
    trace = ExitTrace(probabilities, np.array([1, 1, 1]), np.array([9, 9, 9]), config)
    one = flops(config, np.array([9]), 1).mean()
    for leaves in ([1, 1, 1], [3, 2, 4], [4, 4, 4]):  # a patience of 0, 1 and 2
        found = patience([trace], [one * np.mean(leaves)])
        assert found.layers[0] == pytest.approx(np.mean(leaves))
    # t = 1: leaves after layers 3, 2 and 4 with the answers 1, 0 and 1.
    np.testing.assert_allclose(patience([trace], [3 * one]).right, [[1, 0, 1]])


def test_a_difference_of_nothing_is_0_and_not_clear():
    whole = whole_network(TESTS)
    found = difference(whole, whole)
    assert (found.mean, found.low, found.high) == (0, 0, 0) and not found.clear


def test_a_certain_difference_is_found():
    right = Contender("a", np.ones((3, 50)), np.ones(3), np.ones(3))
    wrong = Contender("b", np.zeros((3, 50)), np.ones(3), np.ones(3))
    found = difference(right, wrong)
    assert (found.mean, found.low, found.high) == pytest.approx((1, 1, 1)) and found.clear


def test_a_rival_without_seeds_stands_beside_all():
    rival = static("tfidf", np.zeros(TESTS[0].labels.shape), flops=10.0)
    whole = whole_network(TESTS)
    assert difference(whole, rival).mean == pytest.approx(whole.accuracy)


def test_what_cannot_be_paired_is_refused():
    whole = whole_network(TESTS)
    with pytest.raises(ValueError, match="400 texts"):
        difference(whole, static("other", np.zeros(7), 1.0))
    with pytest.raises(ValueError, match="3 seeds cannot be paired with 2"):
        difference(whole, static("other", np.zeros((2, 400)), 1.0))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    truth, covered = 0.04, 0
    for trial in range(150):
        ours = (random.random((1, 300)) < 0.80 + truth).astype(float)
        theirs = (random.random((1, 300)) < 0.80).astype(float)
        found = difference(static("a", ours, 1.0), static("b", theirs, 1.0), draws=400, seed=trial)
        covered += found.low <= truth <= found.high
    assert 0.88 <= covered / 150 <= 1.0


def test_seeds_widen_the_interval():
    shifts = np.array([0.7, 0.8, 0.9])[:, None]
    ours = (np.random.default_rng(1).random((3, 2000)) < shifts).astype(float)
    spread = difference(static("a", ours, 1.0), static("b", np.zeros((3, 2000)), 1.0))
    one = difference(static("a", ours[1], 1.0), static("b", np.zeros(2000), 1.0))
    assert spread.high - spread.low > 2 * (one.high - one.low)


def test_seeds_alone_are_paired_with_students_t():
    found = difference_of_seeds([0.80, 0.82, 0.84], [0.79, 0.80, 0.81])  # gains 0.01, 0.02, 0.03
    assert found.mean == pytest.approx(0.02)
    assert found.high - found.mean == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-3)
    assert not difference_of_seeds([0.9], [0.1]).clear
    with pytest.raises(ValueError, match="cannot be paired"):
        difference_of_seeds([0.9], [0.1, 0.2])


def test_the_first_exit_alone_is_the_least():
    least = first_exit(TESTS)
    expected = [trace.accuracy_by_layer[0] for trace in TESTS]
    np.testing.assert_allclose(least.right.mean(1), expected)
    assert (least.layers == 1).all() and (least.cost < early_exit(TESTS, [1.0] * 3).cost * 1.001).all()


@pytest.mark.parametrize("speed", [0.0, 0.37, 1.0])
def test_one_speed_is_early_exit_where_a_speed_costs_as_much(speed):
    early = early_exit(TESTS, [speed] * 3)
    rival = one_speed(TESTS, early.cost)
    np.testing.assert_allclose(rival.cost, early.cost)
    assert rival.accuracy == pytest.approx(early.accuracy)
    between = one_speed(TESTS, 1.01 * early.cost)
    np.testing.assert_allclose(between.cost, np.minimum(1.01 * early.cost, early_exit(TESTS, [0.0] * 3).cost))
