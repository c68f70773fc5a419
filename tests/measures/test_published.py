"""What the FastBERT paper reports, set by set."""

import pytest

from course_lib.measures.published import fastbert_savings


def test_the_twelve_data_sets_of_table_2():
    found = {each.dataset: each for each in fastbert_savings(0.5)}
    assert len(found) == 12
    book = found["Book review"]
    assert (book.accuracy, book.teacher, book.flops_speedup) == (86.64, 86.88, 4.21)


def test_a_speed_that_the_paper_does_not_report():
    with pytest.raises(ValueError, match="no published result"):
        fastbert_savings(0.3)
