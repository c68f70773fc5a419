"""Calibration: shares with the right intervals, and traces whose reliability is known."""

import numpy as np
import pytest

from course_lib.measures.calibration import calibration_error, reliability, risk_by_layer, wilson
from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import FastBertConfig


def trace_of(probability_of_1: np.ndarray, labels: np.ndarray) -> ExitTrace:
    """Exits that give class 1 these probabilities [L, N]."""
    config = FastBertConfig(num_hidden_layers=len(probability_of_1), hidden_size=64, exit_hidden_size=32)
    probabilities = np.stack([1 - probability_of_1, probability_of_1], -1).astype(np.float32)
    return ExitTrace(probabilities, labels, np.full(len(labels), 9), config)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],  # statsmodels' figures
)
def test_wilsons_interval(hits, count, low, high):
    found = wilson(hits, count)
    assert found.low == pytest.approx(low, abs=1e-3) and found.high == pytest.approx(high, abs=1e-3)


def test_an_empty_bin_has_no_share():
    assert np.isnan(wilson(np.array([0]), np.array([0])).share).all()


def test_an_honest_exit_lies_on_the_diagonal_and_a_boaster_below_it():
    random = np.random.default_rng(0)
    honest = random.uniform(0.5, 1.0, 20_000)
    labels = (random.random(20_000) < honest).astype(int)
    boast = np.clip(honest + 0.2, 0, 0.999)
    trace = trace_of(np.stack([honest, boast]), labels)
    table = reliability(trace)
    first, second = (table[table["layer"] == layer] for layer in (1, 2))
    assert (
        (first["low"] - 0.01 <= first["confidence"]) & (first["confidence"] <= first["high"] + 0.01)
    ).all()
    assert (second["accuracy"] < second["confidence"]).mean() > 0.8
    error = calibration_error(trace)
    assert error[0] < 0.02 < 0.1 < error[1]


def test_every_text_is_counted_once_for_every_exit():
    random = np.random.default_rng(1)
    trace = trace_of(random.random((3, 101)), random.integers(0, 2, 101))
    assert (reliability(trace, bins=7).groupby("layer")["count"].sum() == 101).all()


def test_one_speed_is_another_risk_at_every_layer():
    # Two texts leave at layer 1 (one wrong), one at layer 2 (right), one at the last layer (wrong).
    probability = np.array([[0.99, 0.99, 0.5, 0.5], [0.5, 0.5, 0.01, 0.5], [0.5, 0.5, 0.5, 0.9]])
    risk = risk_by_layer(trace_of(probability, np.array([1, 0, 0, 0])), speed=0.5)
    np.testing.assert_array_equal(risk.count, [2, 1, 1])
    np.testing.assert_allclose(risk.share, [0.5, 0.0, 1.0])
