"""What is left of a network after a cut: the records of the pruning study as tables.

A study is one recipe of stage "pruning" (data/recipes/pruning-<study>.toml, or of your own under any name):
one backbone, some seeds.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from scipy.stats import binom
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.measures.comparison import Difference, difference_of_seeds
from course_lib.measures.report import seed_records
from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pruning import only_layers
from course_lib.paths import RUNS
from course_lib.texts.batches import encode

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


def cuts_of_fastbert(runs: Path = RUNS, **recipes: str) -> pd.DataFrame:
    """FastBERTs cut to every other layer, not trained after it, as rows like those of `cut_table`.

    Args:
        recipes: name of the study -> recipe; its run records hold the cuts.
    """
    return pd.DataFrame(
        [
            {"study": study, "seed": record["seed"], "way": "every_other", "keep": int(keep), **cut}
            for study, recipe in recipes.items()
            for record in seed_records(recipe, runs)
            for keep, cut in record["metrics"]["cut"].items()
        ]
    )


def compare_cuts(
    table: pd.DataFrame,
    keep: int,
    ours: str,
    theirs: str,
    way: str = "every_other",
    their_way: str | None = None,
) -> Difference:
    """Accuracy of the study `ours` minus that of `theirs` at `keep` layers, over the seeds that both have.

    Args:
        way, their_way: how each was cut ("every_other", "search", "tuned", …); the same if only one is given.
    """
    mine = _by_seed(table, ours, way, keep)
    other = _by_seed(table, theirs, their_way or way, keep)
    seeds = mine.index.intersection(other.index)
    return difference_of_seeds(mine[seeds].tolist(), other[seeds].tolist())


def _by_seed(table: pd.DataFrame, study: str, way: str, keep: int) -> pd.Series:
    chosen = (table["study"] == study) & (table["way"] == way) & (table["keep"] == keep)
    if not chosen.any():
        raise ValueError(f"the table has no study {study!r} cut to {keep} layers by {way!r}")
    return table[chosen].set_index("seed")["accuracy"].sort_index()


def compare_by_steps(ours: str, theirs: str, keep: int, runs: Path = RUNS) -> dict[int, Difference]:
    """By number of steps: accuracy on the worlds of `ours` minus `theirs` (recipes), cut to `keep` layers."""
    mine, other = (
        [each["metrics"]["cut"][str(keep)]["accuracy_by_steps"] for each in seed_records(name, runs)]
        for name in (ours, theirs)
    )
    return {
        int(steps): difference_of_seeds([each[steps] for each in mine], [each[steps] for each in other])
        for steps in mine[0]
    }


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


def practised(rate: float, num_layers: int, keep: int) -> float:
    """The share of training steps in which the coins let at most `keep` layers run."""
    return float(binom.cdf(keep, num_layers, 1 - rate))


def share_right(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    keep: Sequence[int],
    exit: int | None = None,
) -> float:
    """The share of `rows` answered rightly with the layers `keep` alone.

    The exit of the last layer that stays answers, or `exit`, if it is given.
    """
    with only_layers(model, keep):
        trace = ExitTrace.of(model, tokenizer, rows)
    return float(trace.accuracy_by_layer[(exit or max(keep)) - 1])


def shares_without(
    model: FastBertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, rows: Dataset
) -> pd.Series:
    """`share_right` with one layer missing, by the number of that layer."""
    depths = range(1, model.config.num_hidden_layers + 1)
    return pd.Series(
        {
            gone: share_right(model, tokenizer, rows, [each for each in depths if each != gone])
            for gone in depths
        }
    )


def named_after_passes(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    keep: Sequence[int],
    steps: int,
) -> np.ndarray:
    """Whom a network cut to `keep` names on the worlds with `steps` steps.

    Returns how often it is the one who has the ball after 0, 1, …, `steps` passes [steps + 1].
    """
    chosen = rows.select(np.flatnonzero(np.array(rows["steps"]) == steps))
    with only_layers(model, keep):
        trace = ExitTrace.of(model, tokenizer, chosen)
    answers = trace.probabilities[max(keep) - 1].argmax(-1)  # [N]
    return (answers[:, None] == np.array(chosen["holders"])).mean(0)  # [N, steps + 1] -> [steps + 1]


def loss_by_step(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    size: int = 64,
) -> Callable[[int], torch.Tensor]:
    """What `data_driven` asks for: step -> the loss on that step's `size` rows, round and round."""
    labels = torch.tensor(rows["label"][:])  # [N]
    inputs = DataCollatorWithPadding(tokenizer)(encode(rows, tokenizer))  # [N, T]
    starts = range(0, len(labels), size)

    def loss(step: int) -> torch.Tensor:
        part = slice(start := starts[step % len(starts)], start + size)
        return model(**{name: each[part] for name, each in inputs.items()}, labels=labels[part]).loss

    return loss
