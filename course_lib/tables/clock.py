"""Counted FLOPs beside measured time."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from course_lib.measures.bench import ExitBench
from course_lib.measures.records import read_record
from course_lib.measures.trace import ExitTrace
from course_lib.paths import RUNS
from course_lib.words import t

COLUMNS = ("batch_size", "speed", "accuracy", "mean_layer", "flops_speedup", "measured_speedup", "ratio")


def clock_table(benches: Sequence[ExitBench], trace: ExitTrace) -> pd.DataFrame:
    """One row a measurement; the accuracy is that of all sentences of `trace` at the same speed."""
    rows = [{**asdict(each), "accuracy": trace.at(each.speed).accuracy} for each in benches]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.rename(columns=lambda name: t(f"bench.{name}")).round(3)


def recorded_benches(model: str, runs: Path = RUNS) -> pd.DataFrame:
    """What `course bench exits --model MODEL --record` left: one row a number of threads, batch size and way.

    Raises:
        FileNotFoundError: nothing was recorded for this model.
    """
    names = [path.stem for path in sorted(runs.glob(f"bench-exits-{model}-threads*.json"))]
    records = [read_record(name, runs) for name in names or [f"bench-exits-{model}-threads1"]]
    rows = [each | {"threads": record["threads"]} for record in records for each in record["benches"]]
    return pd.DataFrame(rows)


def recorded_ratios(model: str, runs: Path = RUNS) -> pd.DataFrame:
    """Measured / counted speed-up of `recorded_benches`, by way and threads [rows], batch size [columns]."""
    found = recorded_benches(model, runs)
    found["way"] = [t(f"bench.way_{way}") for way in found["way"]]
    table = found.pivot_table("ratio", ["way", "threads"], "batch_size", sort=False)
    table.index.names = [t("bench.way"), t("bench.threads")]
    return table.rename_axis(columns=t("bench.batch_size")).round(2)


def clock_in_words(model: str, runs: Path = RUNS) -> dict[str, float]:
    """What a sentence says of `recorded_benches`."""
    found = recorded_benches(model, runs)
    return {
        "speed": found["speed"].iloc[0],
        "least": found["ratio"].min(),
        "most": found["ratio"].max(),
        "promised": found["flops_speedup"].mean(),
        "sentences": read_record(f"bench-exits-{model}-threads{found['threads'].iloc[0]}", runs)["sentences"],
    }
