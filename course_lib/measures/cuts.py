"""What is left of a network after a cut: the records of the pruning study as tables.

A study is one recipe of stage "pruning" (data/recipes/pruning-<study>.toml, or of your own under any name):
one backbone, some seeds.
"""

from pathlib import Path

import pandas as pd

from course_lib.measures.report import seed_records
from course_lib.paths import RUNS

STRATEGIES = ("every_other", "first", "search", "data_driven")


def cut_table(*studies: str, runs: Path = RUNS) -> pd.DataFrame:
    """One row for each study, seed, way and number of layers kept.

    Columns:
        study; rate: of its LayerDrop; seed;
        way: "whole" (no cut), a strategy (cut, not trained after it) or "tuned" (cut, then fine-tuned);
        keep: how many layers are left; layers: which (depths);
        accuracy: on the test split; parameters: of the network that is left.

    Raises:
        FileNotFoundError: a study without a run record.
    """
    return pd.DataFrame(
        [
            {"study": study, "rate": _rate(record), "seed": record["seed"], **row}
            for study in studies
            for record in _records(study, runs)
            for row in _rows(record["metrics"])
        ]
    )


def _records(study: str, runs: Path) -> list[dict]:
    return seed_records(study if any(runs.glob(f"{study}-seed*.json")) else f"pruning-{study}", runs)


def _rate(record: dict) -> float:
    return record["recipe"].get("layer_drop", {"rate": 0.0})["rate"]


def _rows(metrics: dict) -> list[dict]:
    total, parameters = metrics["layers"], metrics["parameters"]
    everything = {"layers": list(range(1, total + 1)), "accuracy": metrics["accuracy"]}
    found = [("whole", total, everything)]
    for strategy, cuts in metrics["cut"].items():
        # Nothing cut is every strategy's first point.
        found += [(strategy, total, everything), *((strategy, int(keep), cut) for keep, cut in cuts.items())]
    for keep, accuracy in metrics["cut_then_tuned"].items():
        found.append(("tuned", int(keep), {"layers": None, "accuracy": accuracy}))
    return [
        {"way": way, "keep": keep, **cut, "parameters": parameters[str(keep)]} for way, keep, cut in found
    ]


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Mean, standard deviation (NaN for one seed) and number of seeds of `accuracy`.

    One row for each (study, way, keep), in that index.
    """
    grouped = table.groupby(["study", "way", "keep"], sort=False)["accuracy"]
    return grouped.agg(["mean", "std", "count"])


def in_words(found: pd.DataFrame) -> pd.Series:
    """`over_seeds` as text, in per cent: "85.1 ± 0.3"; of one seed the mean alone."""
    mean, deviation = ((100 * found[column]).map("{:.1f}".format) for column in ("mean", "std"))
    return (mean + " ± " + deviation).str.removesuffix(" ± nan")


def masked_losses(*studies: str, runs: Path = RUNS) -> pd.DataFrame:
    """The masked-language-model loss (nats a token) by layers kept [rows] and study [columns].

    It belongs to the backbone, before any fine-tuning, so that it is the same for all seeds.
    """
    columns = {study: _records(study, runs)[0]["metrics"]["masked_loss"] for study in studies}
    table = pd.DataFrame(columns)
    table.index = table.index.astype(int)
    return table.sort_index(ascending=False)


def above_chance(accuracy: float, classes: int) -> float:
    """How far an accuracy lies above guessing, as a share of the way to 1."""
    return (accuracy - 1 / classes) / (1 - 1 / classes)
