"""Uncertainty: known values, limits, and thresholds that refuse nonsense."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.models.exit_rule import MEASURES, thresholds, uncertainty


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("classes", [2, 3, 40])
def test_limits(measure, classes):
    uniform = torch.zeros(classes)
    certain = torch.tensor([100.0] + [0.0] * (classes - 1))
    assert uncertainty(uniform, measure).item() == pytest.approx(1, abs=1e-6)
    assert uncertainty(certain, measure).item() == pytest.approx(0, abs=1e-6)


def test_by_hand():
    """0.9 / 0.1: -(0.9 ln 0.9 + 0.1 ln 0.1) / ln 2 = 0.469; 1 - max scaled by 2: 0.2."""
    logits = torch.tensor([0.9, 0.1]).log()
    assert uncertainty(logits).item() == pytest.approx(0.4689955936, abs=1e-6)
    assert uncertainty(logits, "max_probability").item() == pytest.approx(0.2, abs=1e-6)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=12), st.sampled_from(MEASURES))
def test_stays_between_0_and_1(scores, measure):
    assert 0 <= uncertainty(torch.tensor(scores), measure).item() <= 1


def test_top_k_ignores_the_tail():
    """Two likely classes of 1,000: plain entropy falls, entropy of the top 2 says 'undecided'."""
    logits = torch.full((1000,), -20.0)
    logits[:2] = 0
    assert uncertainty(logits).item() == pytest.approx(math.log(2) / math.log(1000), abs=1e-3)
    assert uncertainty(logits, "top_k_entropy", k=2).item() == pytest.approx(1, abs=1e-6)


def test_unknown_measure_one_class_small_k():
    with pytest.raises(ValueError, match="entropy, max_probability, top_k_entropy"):
        uncertainty(torch.zeros(2), "margin")
    with pytest.raises(ValueError, match="at least 2 classes, not 1"):
        uncertainty(torch.zeros(1))
    with pytest.raises(ValueError, match="k must be at least 2, not 1"):
        uncertainty(torch.zeros(3), "top_k_entropy", k=1)


def test_thresholds():
    assert thresholds(0.3, 4) == [0.3, 0.3, 0.3]
    assert thresholds([0.1, 0.2, 0.3], 4) == [0.1, 0.2, 0.3]
    assert thresholds(0.3, 1) == [], "one layer has no student"


@pytest.mark.parametrize(
    "speed", [np.float32(0.5), np.array(0.5), torch.tensor(0.5), np.full(3, 0.5), torch.full((3,), 0.5)]
)
def test_thresholds_of_numpy_and_torch(speed):
    found = thresholds(speed, 4)
    assert found == [0.5, 0.5, 0.5] and {type(each) for each in found} == {float}
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        thresholds(speed + 1, 4)


@pytest.mark.parametrize("bad", [-0.01, 1.01, float("nan"), float("inf"), [0.5, 2.0, 0.5]])
def test_thresholds_out_of_range(bad):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        thresholds(bad, 4)


@pytest.mark.parametrize("bad", [[0.5], [0.5] * 4, []])
def test_thresholds_of_another_length(bad):
    with pytest.raises(ValueError, match="3 student exits"):
        thresholds(bad, 4)
