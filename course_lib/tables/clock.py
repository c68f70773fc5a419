"""Counted FLOPs beside measured time."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from course_lib.measures.bench import ExitBench
from course_lib.measures.trace import ExitTrace
from course_lib.words import t

COLUMNS = ("batch_size", "speed", "accuracy", "mean_layer", "flops_speedup", "measured_speedup", "ratio")


def clock_table(benches: Sequence[ExitBench], trace: ExitTrace) -> pd.DataFrame:
    """One row a measurement; the accuracy is that of all sentences of `trace` at the same speed."""
    rows = [{**asdict(each), "accuracy": trace.at(each.speed).accuracy} for each in benches]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.rename(columns=lambda name: t(f"bench.{name}")).round(3)
