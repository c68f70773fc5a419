"""The numbers that the papers print: data/published_results.csv, where each has its source."""

import csv
from dataclasses import dataclass
from functools import lru_cache

from course_lib.paths import DATA

COLUMNS = ("paper", "table", "dataset", "model", "setting", "metric")


@lru_cache
def _rows() -> list[dict[str, str]]:
    with (DATA / "published_results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published(**conditions: str) -> list[dict[str, str]]:
    """The rows of which every named column begins with the text given, in the file's order.

        published(paper="FastBERT", table="Figure 4", model="Teacher")

    Raises:
        ValueError: an unknown column, or no such row.
    """
    for column in conditions:
        if column not in COLUMNS:
            raise ValueError(f"unknown column {column!r}; known: {', '.join(COLUMNS)}")
    rows = [
        row for row in _rows() if all(row[column].startswith(text) for column, text in conditions.items())
    ]
    if not rows:
        raise ValueError(f"no published result with {conditions}")
    return rows


@dataclass(frozen=True)
class Saving:
    """What FastBERT reports for one data set at one speed (its Table 2)."""

    dataset: str
    accuracy: float
    teacher: float
    flops_speedup: float


def fastbert_savings(speed: float) -> list[Saving]:
    """All data sets of the FastBERT paper's Table 2, at one of its speeds: 0.1, 0.5 or 0.8.

    Raises:
        ValueError: the paper does not report this speed.
    """
    table = {"paper": "FastBERT", "table": "Table 2", "metric": "accuracy"}
    teachers = {row["dataset"]: float(row["value"]) for row in published(model="BERT-base", **table)}
    return [
        Saving(row["dataset"], float(row["value"]), teachers[row["dataset"]], float(row["speedup"]))
        for row in published(model="FastBERT", setting=f"speed={speed}", **table)
    ]
