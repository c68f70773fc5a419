"""Agreement and variety of what was written."""

import pytest

from course_lib.measures.generation import agreement, common_start, distinct_n, repetition


def test_agreement_and_common_start():
    assert agreement([1, 2, 3], [1, 9, 3]) == pytest.approx(2 / 3) and common_start([1, 2, 3], [1, 9, 3]) == 1
    assert agreement([1, 2], [1, 2, 3, 4]) == 0.5 and common_start([1, 2], [1, 2, 3, 4]) == 2
    assert agreement([], []) == 1


def test_variety_by_hand():
    assert distinct_n(["甲乙甲乙"], 1) == 0.5
    assert distinct_n(["甲乙甲乙"], 2) == pytest.approx(2 / 3)  # 甲乙 乙甲 甲乙
    assert distinct_n(["甲乙", "甲乙"], 2) == 0.5, "over all texts together"
    assert repetition("甲乙甲乙") == pytest.approx(1 / 3) and repetition("甲") == 0
    with pytest.raises(ValueError, match="no text has 3"):
        distinct_n(["甲乙"], 3)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        distinct_n(["甲乙"], 0)
