"""The three stages of a recipe: pre-train, fine-tune, self-distil.

A stage reads its recipe (data/recipes/<name>.toml), trains with the one loop of `loop.py`, and leaves a
checkpoint and a run record. `run(name)` is what `course train NAME` calls.
"""

import time
import tomllib
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict, concatenate_datasets
from transformers import BertForMaskedLM, DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib import corpora, tokenizer as tokenizers
from course_lib.checkpoints import save_checkpoint
from course_lib.loop import LengthBuckets, LoopSettings, train
from course_lib.paths import CHECKPOINTS, DATA, RECIPES
from course_lib.pretraining import MaskedLanguageModel, new_masked_lm, stack
from course_lib.records import write_record

WORK = DATA / "unfinished"  # what an interrupted training resumes from; not committed


def read_recipe(name_or_file: str | Path) -> dict:
    """A recipe by its name in data/recipes, or from a TOML file of your own."""
    path = Path(name_or_file)
    if path.suffix != ".toml":
        path = RECIPES / f"{name_or_file}.toml"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in RECIPES.glob("*.toml")))
        raise FileNotFoundError(f"no recipe {str(name_or_file)!r}; there are: {names}")
    return {"name": path.stem, **tomllib.loads(path.read_text("utf-8"))}


# --- pre-training ----------------------------------------------------------------------------------


def pretrain(recipe: dict, folder: Path = CHECKPOINTS) -> BertForMaskedLM:
    """Masked-language-model training from scratch, phase by phase, each deeper than the last."""
    start = time.perf_counter()
    texts = {"reviews": corpora.reviews()["train"], "newspaper": corpora.newspaper()}
    tokenizer = make_tokenizer(recipe["tokenizer"], texts["reviews"])
    tokens = {name: tokenise(rows.select_columns("text"), tokenizer) for name, rows in texts.items()}
    held_out = tokenise(corpora.reviews()["validation"].select_columns("text"), tokenizer)

    bert, history = None, []
    for number, phase in enumerate(recipe["phases"], start=1):
        settings = LoopSettings(
            **{key: value for key, value in phase.items() if key not in ("layers", "corpora")},
            seed=recipe["seed"] + number,
        )
        torch.manual_seed(settings.seed)
        if bert is None:
            bert = new_masked_lm(tokenizer, phase["layers"], **recipe["model"])
        else:
            bert = stack(bert, phase["layers"])
        rows = [row for name, times in phase["corpora"].items() for row in tokens[name] * times]
        model = MaskedLanguageModel(bert, tokenizer)
        finished = WORK / f"{recipe['name']}-phase{number}-done"
        if (finished / "config.json").is_file():
            bert = BertForMaskedLM.from_pretrained(finished)
        else:
            phase_history = train(
                model,
                rows,
                DataCollatorWithPadding(tokenizer),
                settings,
                resume_folder=WORK / f"{recipe['name']}-phase{number}",
                title=f"{recipe['name']}, {phase['layers']} layers",
            )
            bert.save_pretrained(finished)
            loss = held_out_loss(bert, tokenizer, held_out)
            print(f"phase {number}: {phase['layers']} layers, held-out loss {loss:.4f}")
            history.append({"layers": phase["layers"], "held_out_loss": loss, "history": phase_history})

    save_checkpoint(folder / recipe["name"], bert, tokenizer)
    write_record(
        recipe["name"],
        {
            "recipe": recipe,
            "data": {name: corpora.fingerprint(rows) for name, rows in texts.items()},
            "phases": history,
            "seconds": round(time.perf_counter() - start),
        },
    )
    return bert


@torch.no_grad()
def held_out_loss(bert: BertForMaskedLM, tokenizer, rows: list[dict], mask_rate: float = 0.3) -> float:
    """The masked-language-model loss (nats a token) on texts not trained on, always masked alike."""
    model = MaskedLanguageModel(bert, tokenizer, mask_rate).eval()
    collate = DataCollatorWithPadding(tokenizer)
    torch.manual_seed(0)
    losses = [
        model(**collate([rows[index] for index in batch]))
        for batch in LengthBuckets([len(row["input_ids"]) for row in rows], 4096, seed=0)
    ]
    model.train()
    return torch.stack(losses).mean().item()


# --- shared steps ----------------------------------------------------------------------------------


def make_tokenizer(choice: dict, rows: Dataset) -> PreTrainedTokenizerFast:
    """The tokenizer that a recipe's [tokenizer] table names, trained on `rows`."""
    makers = {"pieces": tokenizers.train_pieces, "characters": tokenizers.train_characters}
    if choice["kind"] not in makers:
        raise ValueError(f"tokenizer kind must be one of {list(makers)}, not {choice['kind']!r}")
    return makers[choice["kind"]](rows["text"], choice["vocab_size"], choice["max_length"])


def tokenise(rows: Dataset, tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """One dict a text, with `input_ids`, cut at the tokenizer's maximal length, and `labels` if any."""
    encoded = tokenizer(list(rows["text"]), truncation=True)["input_ids"]
    if "label" not in rows.column_names:
        return [{"input_ids": ids} for ids in encoded]
    return [{"input_ids": ids, "labels": label} for ids, label in zip(encoded, rows["label"], strict=True)]
