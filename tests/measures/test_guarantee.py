"""Speeds with a guarantee: kept as often as promised, and no stricter than a test needs to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from course_lib.measures import guarantee
from course_lib.measures.guarantee import (
    SPEEDS,
    coverage,
    guaranteed_speed,
    speed_without_test,
    spoilt_answers,
)
from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import FastBertConfig

CONFIG = FastBertConfig(num_hidden_layers=2, hidden_size=8, num_attention_heads=2, num_labels=2)


def trace(texts: int, wrong: float, seed: int = 0) -> ExitTrace:
    """The last exit is always right; the first is wrong on the share `wrong`, at all uncertainties."""
    random = np.random.default_rng(seed)
    doubt = random.uniform(0.02, 0.5, texts)  # of the likelier class's complement
    first = np.stack([1 - doubt, doubt], 1)
    mistaken = random.uniform(size=texts) < wrong
    first[mistaken] = first[mistaken][:, ::-1]
    last = np.tile([0.9, 0.1], (texts, 1))
    probabilities = np.stack([first, last]).astype(np.float32)
    return ExitTrace(probabilities, np.zeros(texts, int), np.full(texts, 5), CONFIG)


def test_spoilt_is_what_the_whole_network_knew_and_an_early_exit_did_not():
    probabilities = np.array([[[0.1, 0.9], [0.9, 0.1], [0.1, 0.9]], [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]])
    three = ExitTrace(probabilities.astype(np.float32), np.zeros(3, int), np.full(3, 5), CONFIG)
    assert spoilt_answers(three, 1.0).tolist() == [True, False, False]
    assert spoilt_answers(three, 0.0).tolist() == [False, False, False]


def test_each_p_value_is_that_of_an_exact_binomial_test():
    calibration = trace(300, 0.1)
    found = guaranteed_speed(calibration, 0.05)
    for speed, p_value, share in zip(
        found.speeds[::10], found.p_values[::10], found.spoilt[::10], strict=True
    ):
        spoilt = int(spoilt_answers(calibration, speed).sum())
        assert share == spoilt / 300
        assert p_value == pytest.approx(binomtest(spoilt, 300, 0.05, alternative="less").pvalue)


def test_the_walk_ends_at_the_first_speed_that_is_not_shown_safe():
    found = guaranteed_speed(trace(2000, 0.1), 0.03)
    safe = found.p_values <= 0.05
    place = SPEEDS.tolist().index(found.speed)
    assert safe[: place + 1].all() and not safe[place + 1] and 0 < found.speed < 1


def test_what_looks_safe_beyond_a_speed_that_is_not_does_not_count():
    """The middle exit is wrong and nearly sure, the first right and unsure: only middling speeds spoil."""
    right_unsure, wrong_sure, right_sure = [0.75, 0.25], [0.1, 0.9], [0.99, 0.01]
    answers = np.array([right_unsure, wrong_sure, right_sure], dtype=np.float32)
    probabilities = np.repeat(answers[:, None], 300, axis=1)  # [3, N, 2]
    config = FastBertConfig(num_hidden_layers=3, hidden_size=8, num_attention_heads=2, num_labels=2)
    dip = ExitTrace(probabilities, np.zeros(300, int), np.full(300, 5), config)
    sure, unsure = dip.uncertainties[1, 0], dip.uncertainties[0, 0]
    found = guaranteed_speed(dip, 0.05)
    assert sure < unsure < 1 and found.p_values[-1] <= 0.05, "at speed 1 all leave at the first exit, rightly"
    assert 0 < found.speed <= sure and speed_without_test(dip, 0.05) == found.speed


def test_nothing_is_promised_where_too_few_texts_can_show_it():
    assert guaranteed_speed(trace(20, 0.0), 0.01).speed == 0  # 0.99 ** 20 is far above 0.05
    assert guaranteed_speed(trace(300, 0.0), 0.01).speed == 1  # 0.99 ** 300 is not


def test_the_promise_is_kept_and_without_a_test_it_is_not():
    found = coverage(trace(4000, 0.1), 0.03, texts=500, draws=400)
    tested, untested = found.broken
    assert tested <= 0.05 + 0.033  # three standard errors of 400 draws
    assert untested > 0.25


@settings(max_examples=30, deadline=None)
@given(most=st.floats(0.005, 0.2), more=st.floats(0.0, 0.2), seed=st.integers(0, 99))
def test_who_allows_more_is_given_no_less(most, more, seed):
    calibration = trace(400, 0.15, seed)
    assert guaranteed_speed(calibration, most).speed <= guaranteed_speed(calibration, most + more).speed
    assert guaranteed_speed(calibration, most).speed <= speed_without_test(calibration, most)


@pytest.mark.parametrize("values", [(0.0, 0.95), (1.0, 0.95), (0.01, 1.0), (float("nan"), 0.95)])
def test_shares_outside_are_refused(values):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        guaranteed_speed(trace(20, 0.1), *values)
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        coverage(trace(20, 0.1), *values)


def test_coverage_measures_the_truth_on_all_texts(monkeypatch):
    monkeypatch.setattr(guarantee, "_walk", lambda *_: guarantee.Guarantee(1.0, SPEEDS, SPEEDS, SPEEDS))
    everything = trace(200, 0.2)
    found = coverage(everything, 0.05, draws=3)
    assert found.tested.tolist() == [spoilt_answers(everything, 1.0).mean()] * 3
