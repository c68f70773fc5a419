"""The tables of lesson 02: what each stage reads and trains, guesses of hidden words, and the ablations."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from transformers import BertForMaskedLM, PreTrainedTokenizerFast

from course_lib.measures.cost import count_parameters
from course_lib.measures.published import published
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.words import language, t

STAGES = ("pretrain", "finetune", "distil")


def trained_weights(model: FastBertForSequenceClassification) -> dict[str, int]:
    """How many weights each stage trains, as `set_stage` says; afterwards the stage is again what it was."""
    before = model.stage
    found = {"pretrain": count_parameters(model.bert)}  # besides its own head, which is thrown away
    for stage, name in (("finetune", "finetune"), ("distil", "distill")):
        model.set_stage(name)
        found[stage] = sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
    model.set_stage(before)
    return found


def stages_table(
    model: FastBertForSequenceClassification, backbone: Sequence[dict], record: dict
) -> pd.DataFrame:
    """One row a stage: what it reads, what it trains, how many weights and steps.

    Args:
        backbone: the run records of the pre-training, in order; record: the FastBERT's own.
    """
    trained, total = trained_weights(model), count_parameters(model)
    steps = {
        "pretrain": sum(phase["history"][-1]["step"] for each in backbone for phase in each["phases"]),
        "finetune": _last_step(record["history"]["finetune"]),
        "distil": _last_step(record["history"]["distil"]),
    }
    space = "" if language() == "zh" else " "  # where a figure breaks the line
    rows = {
        t(f"stages.name_{stage}"): {
            t("stages.reads"): t(f"stages.reads_{stage}").replace("\n", space),
            t("stages.trains"): t(f"stages.trains_{stage}"),
            t("stages.weights"): f"{trained[stage] / 1e3:,.0f} ({trained[stage] / total:.0%})",
            t("stages.steps"): f"{steps[stage]:,}",
        }
        for stage in STAGES
    }
    return pd.DataFrame(rows).T


@torch.no_grad()
def guesses_table(
    bert: BertForMaskedLM, tokenizer: PreTrainedTokenizerFast, text: str, place: int, guesses: int = 5
) -> pd.DataFrame:
    """What the network puts in the place of a hidden token, with its probabilities, the likeliest first.

    Args:
        place: of the token, counted from 1; [CLS] is not counted.

    Raises:
        ValueError: there is no such token.
    """
    ids = tokenizer(text, return_tensors="pt")["input_ids"]  # [1, T]
    tokens = ids.shape[1] - 2  # without [CLS] and [SEP]
    if not 1 <= place <= tokens:
        raise ValueError(f"place must lie in 1..{tokens}, not {place}")
    hidden = ids.clone()
    hidden[0, place] = tokenizer.mask_token_id
    likeliest = bert(hidden).logits[0, place].softmax(-1).topk(guesses)
    words = tokenizer.convert_ids_to_tokens(likeliest.indices.tolist())
    row = [f"{probability:.0%}" for probability in likeliest.values.tolist()]
    return pd.DataFrame([row], [t("masked.probability")], words)


def ablation_table() -> pd.DataFrame:
    """FastBERT's Table 3: accuracy (per cent) and ratio of counted FLOPs, whole and without a part."""
    rows = published(paper="FastBERT (", table="Table 3", metric="accuracy")
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        name = t("neighbour.name", model=_ablation(row["model"]), setting=row["setting"])
        cells.setdefault(name, {})[row["dataset"]] = f"{row['value']} ({float(row['speedup']):.2f}×)"
    return pd.DataFrame(cells).T


def ablation() -> dict[str, dict[str, float]]:
    """What self-distillation is worth in that table at speed 0.2: points and FLOPs ratio, with and without.

    Returns:
        data set -> {"points": with minus without, "with_ratio": …, "without_ratio": …}
    """
    rows = published(paper="FastBERT (", table="Table 3", setting="speed=0.2", metric="accuracy")
    found: dict[str, dict[str, dict]] = {}
    for row in rows:
        found.setdefault(row["dataset"], {})["without" if "w/o" in row["model"] else "with"] = row
    return {
        dataset: {
            "points": float(each["with"]["value"]) - float(each["without"]["value"]),
            "with_ratio": float(each["with"]["speedup"]),
            "without_ratio": float(each["without"]["speedup"]),
        }
        for dataset, each in found.items()
    }


def accuracy_rows(accuracies: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """One row a way of training the students, one column an exit, in per cent."""
    rows = {t(f"distilled.{name}"): [f"{share:.1%}" for share in each] for name, each in accuracies.items()}
    exits = range(1, len(next(iter(rows.values()))) + 1)
    return pd.DataFrame(rows, exits).T.rename_axis(columns=t("axis.exit"))


def _ablation(model: str) -> str:
    words = {"FastBERT w/o self-distillation": "no_distil", "FastBERT w/o adaptive inference": "no_exit"}
    return t(f"ablation.{words[model]}") if model in words else model


def _last_step(history: Sequence[dict]) -> int:
    return max(entry["step"] for entry in history if "step" in entry)
