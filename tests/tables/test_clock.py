"""Counted and measured stand side by side, with the accuracy of the same speed."""

import pytest
from made_up import made_up_trace

from course_lib.measures.bench import ExitBench
from course_lib.measures.records import write_record
from course_lib.tables.clock import COLUMNS, clock_in_words, clock_table, recorded_ratios
from course_lib.words import t

TRACE = made_up_trace()


def test_a_row_a_measurement():
    benches = [ExitBench(1, speed, "batch", 2.0, 1.0, 2.0, (1.9, 2.1), 4.0, 0.5, 3.0) for speed in (0.1, 0.5)]
    table = clock_table(benches, TRACE)
    assert table.shape == (2, len(COLUMNS))
    assert table.iloc[:, 2].tolist() == pytest.approx([TRACE.at(0.1).accuracy, TRACE.at(0.5).accuracy])


def test_recorded_measurements_stand_by_way_threads_and_batch(tmp_path):
    for threads in (1, 2):
        benches = [
            {
                "batch_size": size,
                "way": way,
                "speed": 0.5,
                "flops_speedup": 4.0,
                "ratio": threads / size + bonus,
            }
            for size in (2, 8)
            for way, bonus in (("batch", 0.0), ("pool", 0.25))
        ]
        record = {"model": "x", "threads": threads, "sentences": 99, "benches": benches}
        write_record(f"bench-exits-x-threads{threads}", record, tmp_path)
    table = recorded_ratios("x", tmp_path)
    assert table.shape == (4, 2)
    assert table.loc[(t("bench.way_pool"), 2)].tolist() == [1.25, 0.5]
    said = clock_in_words("x", tmp_path)
    assert (said["least"], said["most"], said["promised"]) == (0.125, 1.25, 4.0)
    assert (said["speed"], said["sentences"]) == (0.5, 99)


def test_nothing_recorded_names_the_record_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="bench-exits-x-threads1"):
        recorded_ratios("x", tmp_path)
