"""Groups of sentences, the slowest of a batch, and the first exit that is good enough."""

import numpy as np
import pytest
from made_up import made_up_trace

from course_lib.measures.outcomes import enough_exits, outcomes, shortest, slowest_of_batches

TRACE = made_up_trace()


def test_mended_minus_spoilt_is_what_depth_is_worth():
    groups = outcomes(TRACE)
    gain = TRACE.accuracy_by_layer[-1] - TRACE.accuracy_by_layer[0]
    assert groups["mended"].sum() - groups["spoilt"].sum() == pytest.approx(gain * len(TRACE.labels))
    assert sum(group.astype(int) for group in groups.values()).max() == 1


def test_the_shortest_of_a_group_are_members_and_short():
    group = np.arange(len(TRACE.labels)) % 3 == 0
    chosen = shortest(TRACE, group, 5)
    assert group[chosen].all() and TRACE.lengths[chosen].max() <= np.sort(TRACE.lengths[group])[4]


def test_a_batch_waits_for_its_slowest():
    assert slowest_of_batches(np.array([1, 4, 2, 2, 9]), 2) == 3.0  # 9 stands in no whole batch


def test_the_first_exit_that_is_enough():
    table = np.array([[0.2, 0.96, 0.97], [0.1, 0.2, 0.3], [0.95, 0.9, 0.99]])
    assert enough_exits(table) == [2, None, 1]
