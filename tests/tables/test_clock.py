"""Counted and measured stand side by side, with the accuracy of the same speed."""

import pytest
from made_up import made_up_trace

from course_lib.measures.bench import ExitBench
from course_lib.tables.clock import COLUMNS, clock_table

TRACE = made_up_trace()


def test_a_row_a_measurement():
    benches = [ExitBench(1, speed, "batch", 2.0, 1.0, 2.0, (1.9, 2.1), 4.0, 0.5, 3.0) for speed in (0.1, 0.5)]
    table = clock_table(benches, TRACE)
    assert table.shape == (2, len(COLUMNS))
    assert table.iloc[:, 2].tolist() == pytest.approx([TRACE.at(0.1).accuracy, TRACE.at(0.5).accuracy])
