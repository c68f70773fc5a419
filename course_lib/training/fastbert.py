"""A FastBERT from a recipe: both stages for one seed, then its traces and its run record."""

import shutil
import time
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict
from transformers import AutoConfig, PreTrainedTokenizerFast

from course_lib.measures.choices import choice_metrics
from course_lib.measures.records import write_record
from course_lib.measures.report import cut_metrics, fastbert_metrics, speeds_at
from course_lib.measures.trace import ExitTrace, trace_file
from course_lib.models.adapters import round_exits
from course_lib.models.backbones import find_model, load_tokenizer, load_weights
from course_lib.models.checkpoints import save_beside_backbone, save_checkpoint
from course_lib.models.fastbert import FastBertConfig, FastBertForSequenceClassification
from course_lib.paths import UNFINISHED
from course_lib.texts.batches import is_pairs
from course_lib.texts.corpora import load_corpus
from course_lib.texts.shape import class_names, fingerprint
from course_lib.texts.world_questions import world_questions_tokenizer
from course_lib.texts.worlds import worlds_tokenizer
from course_lib.training.distil import self_distil
from course_lib.training.finetune import finetune_once, finetuned
from course_lib.training.loop import seconds_spent
from course_lib.training.provenance import begins_with, identity
from course_lib.training.recipes import recipe_columns

CLOSED = {"worlds": worlds_tokenizer, "world-questions": world_questions_tokenizer}  # every word is known


def train_fastbert(recipe: dict, seed: int, keep: bool, checkpoints: Path, runs: Path, traces: Path) -> dict:
    """Both stages of FastBERT for one seed, then its traces and figures.

    The checkpoint is kept only if `keep` says so; the traces of all seeds are, so that seeds can be compared
    text by text.
    """
    start = time.perf_counter()
    corpus = load_corpus(recipe["data"], **recipe_columns(recipe))
    data = fingerprint(corpus)
    run = identity(recipe, [data, seed])
    model, tokenizer = new_fastbert(recipe, corpus, seed)
    name = f"{recipe['name']}-seed{seed}"
    unfinished = UNFINISHED / name
    earlier = seconds_before(unfinished, run)
    history = {
        "finetune": finetune_once(model, tokenizer, corpus, recipe, seed, unfinished, run),
        "distil": self_distil(model, tokenizer, corpus, recipe, seed, unfinished / "distil", run),
    }
    if "lora_rank" in recipe["finetune"]:
        round_exits(model)
    found = {split: ExitTrace.of(model, tokenizer, corpus[split]) for split in ("validation", "test")}
    if keep and "lora_rank" in recipe["finetune"]:
        save_beside_backbone(checkpoints / recipe["name"], model, unfinished / "adapters")
    elif keep:
        save_checkpoint(checkpoints / recipe["name"], model, tokenizer, dtype=torch.float16)
    for split, trace in found.items():
        trace.save(trace_file(recipe["name"], None if keep else seed, split, traces))
    record = {
        "recipe": recipe,
        "seed": seed,
        "data": data,
        "begins_with": begins_with(recipe),
        "metrics": {
            **fastbert_metrics(found["validation"], found["test"], corpus["test"]),
            "cut": cut_metrics(model, tokenizer, corpus["test"]),
            **choosing_metrics(found["validation"], found["test"], corpus["test"]),
        },
        "history": history,
        "seconds": round(earlier + time.perf_counter() - start),
    }
    shutil.rmtree(unfinished, ignore_errors=True)
    return write_record(name, record, runs)


def choosing_metrics(validation: ExitTrace, test: ExitTrace, rows: Dataset) -> dict:
    """Of multiple choice (rows with a column `question`), how often the right one is chosen; else nothing."""
    if "question" not in rows.column_names:
        return {}
    return {"choosing": choice_metrics(validation, test, speeds_at(validation))}


def new_fastbert(
    recipe: dict, corpus: DatasetDict, seed: int
) -> tuple[FastBertForSequenceClassification, PreTrainedTokenizerFast]:
    """A FastBERT whose exits are untrained: on the recipe's backbone, or from scratch without one."""
    names = class_names(corpus)
    options = {
        **recipe["model"],
        "num_labels": len(names),
        "problem_type": None,  # whatever the backbone was trained for
        "sentence_pairs": is_pairs(corpus["train"]),
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
    }
    torch.manual_seed(seed)
    if "backbone" not in recipe:
        if recipe["data"] not in CLOSED:
            raise ValueError(
                f"{recipe['name']} knows the words of the worlds only; other data need a backbone"
            )
        tokenizer = CLOSED[recipe["data"]]()
        config = FastBertConfig(
            vocab_size=len(tokenizer), max_position_embeddings=tokenizer.model_max_length, **options
        )
        return FastBertForSequenceClassification(config), tokenizer
    backbone = find_model(recipe["backbone"])
    kind = AutoConfig.from_pretrained(backbone).model_type
    if kind not in ("bert", "fastbert"):
        raise ValueError(f"{recipe['backbone']} is a {kind!r} model; the backbone must be a BERT")
    model = load_weights(FastBertForSequenceClassification, backbone, **options)
    return model, load_tokenizer(backbone, model.config)


def seconds_before(unfinished: Path, run: str) -> float:
    """How long interrupted processes have trained the FastBERT that lies in `unfinished`."""
    done = finetuned(unfinished, run) or {}
    return done.get("seconds", 0.0) + sum(seconds_spent(unfinished / part) for part in ("finetune", "distil"))
