"""Bins of uncertainty: nothing is lost in them, and chance is not taken for a finding."""

import numpy as np
import pytest
from made_up import made_up_trace
from scipy.stats import binomtest

from course_lib.measures.certainty import Bins, by_uncertainty, clear_gain

TRACE = made_up_trace()


@pytest.mark.parametrize("exit", [1, 6])
def test_the_bins_hold_every_sentence_once(exit):
    bins = by_uncertainty(TRACE, exit)
    assert bins.counts.sum() == len(TRACE.labels)
    assert bins.right.sum() == pytest.approx(TRACE.accuracy_by_layer[exit - 1] * len(TRACE.labels))
    assert np.array_equal(np.isnan(bins.accuracy), bins.counts == 0)


def test_an_exit_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"1\.\.6, not 7"):
        by_uncertainty(TRACE, 7)


@pytest.mark.parametrize(("right", "sentences"), [(7, 10), (100, 100), (0, 40), (481, 1000)])
def test_the_interval_is_wilsons(right, sentences):
    low, high = Bins(np.array([right]), np.array([sentences])).interval
    wanted = binomtest(right, sentences).proportion_ci(0.95, method="wilson")
    assert (low[0], high[0]) == pytest.approx((wanted.low, wanted.high), abs=1e-4)


def test_the_surest_bin_is_the_first_with_enough_sentences():
    bins = Bins(np.array([3, 0, 45, 30]), np.array([3, 0, 50, 60]))
    assert bins.surest == {"low": 0.5, "high": 0.75, "sentences": 50, "accuracy": 0.9, "wrong": 5}


def test_rises_are_counted_and_those_beyond_chance_apart():
    # From 0.5 to 0.6 is within chance for 50 sentences; from 0.6 to 0.95 is not; the last bin is too small.
    bins = Bins(np.array([25, 30, 95, 10]), np.array([50, 50, 100, 10]))
    assert bins.rises() == (2, 1)


def test_a_bin_without_a_mistake_is_not_exact():
    gain, clear = clear_gain(Bins(np.array([20]), np.array([20])), 0, Bins(np.array([18]), np.array([20])), 0)
    assert gain == pytest.approx(0.1) and not clear
