"""The experiment behind lesson 4: networks cut to fewer layers, with and without LayerDrop.

For each backbone and each number of layers kept:

- `masked_loss`: the pre-trained network, cut to every other layer; the loss on held-out reviews, without
  training after the cut;
- `cut`: fine-tuned with all layers, then cut by each strategy, without training after the cut;
- `cut_then_tuned`: pre-trained, cut to every other layer, then fine-tuned at that depth (the paper's way
  on GLUE, A.1.5).
"""

import time
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict
from transformers import (
    AutoTokenizer,
    BertForMaskedLM,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
)

from course_lib import corpora
from course_lib.layerdrop import LayerDrop
from course_lib.loop import LengthBuckets, LoopSettings, train
from course_lib.paths import RUNS
from course_lib.pruning import data_driven, every_other, only_layers, prune, search_on_valid
from course_lib.records import write_record
from course_lib.stages import UNFINISHED, HiddenTokens, find_model, held_out_loss, load_corpus, tokenise


def run_pruning_study(recipe: dict, seed: int, runs: Path = RUNS) -> dict:
    """Trains, cuts and measures for one seed -> its run record."""
    start = time.perf_counter()
    corpus = load_corpus(recipe["data"])
    metrics = {
        name: _study(recipe, backbone, corpus, seed, f"{recipe['name']}-{name}-seed{seed}")
        for name, backbone in recipe["backbones"].items()
    }
    record = {
        "recipe": recipe,
        "seed": seed,
        "data": corpora.fingerprint(corpus),
        "metrics": metrics,
        "seconds": round(time.perf_counter() - start),
    }
    return write_record(f"{recipe['name']}-seed{seed}", record, runs)


def _study(recipe: dict, backbone: dict, corpus: DatasetDict, seed: int, title: str) -> dict:
    folder = find_model(backbone["name"])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    options = dict(num_labels=len(corpora.class_names(corpus)), hidden_dropout_prob=0.1, dtype=torch.float32)

    def new_classifier() -> BertForSequenceClassification:
        torch.manual_seed(seed)
        return BertForSequenceClassification.from_pretrained(folder, **options)

    def tuned(model: BertForSequenceClassification, layer_drop: dict) -> BertForSequenceClassification:
        name = f"{title}-{model.config.num_hidden_layers}"
        _finetune(model, tokenizer, corpus["train"], recipe["finetune"], layer_drop, seed, name)
        return model

    total = new_classifier().config.num_hidden_layers
    depths = {keep: every_other(total, keep) for keep in recipe["keep"]}
    masked = BertForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    validation = tokenise(corpus["validation"].select_columns("text"), tokenizer)
    full = tuned(new_classifier(), backbone.get("layer_drop", {"rate": 0.0}))

    def measured(model: BertForSequenceClassification) -> float:
        return accuracy(model, tokenizer, corpus["test"])

    return {
        "parameters": {keep: prune(full, depths[keep]).num_parameters() for keep in depths},
        "masked_loss": {
            keep: held_out_loss(prune(masked, depths[keep]), tokenizer, validation) for keep in depths
        },
        "cut": {
            strategy: {
                keep: {"layers": layers, "accuracy": measured(prune(full, layers))}
                for keep, layers in chosen.items()
            }
            for strategy, chosen in _chosen_layers(full, tokenizer, corpus, recipe["keep"], seed).items()
        },
        "cut_then_tuned": {
            keep: measured(tuned(prune(new_classifier(), depths[keep]), {"rate": 0.0}))
            for keep in depths
            if keep < total
        },
    }


def _chosen_layers(
    full: BertForSequenceClassification, tokenizer, corpus: DatasetDict, keeps: list[int], seed: int
) -> dict[str, dict[int, list[int]]]:
    """What each strategy keeps of a fine-tuned network: strategy -> number kept -> depths."""
    total = full.config.num_hidden_layers
    keeps = [keep for keep in keeps if keep < total]

    def score(keep: list[int]) -> float:
        with only_layers(full, keep):
            return accuracy(full, tokenizer, corpus["validation"])

    rows, collate = tokenise(corpus["train"], tokenizer), DataCollatorWithPadding(tokenizer)
    batches = LengthBuckets([len(row["input_ids"]) for row in rows], 2048, seed).batches

    def loss(step: int) -> torch.Tensor:
        batch = collate([rows[number] for number in batches[step % len(batches)]])
        return full(**batch.to(full.device)).loss

    return {
        "every_other": {keep: every_other(total, keep) for keep in keeps},
        "first": {keep: list(range(1, keep + 1)) for keep in keeps},
        "search": {keep: search_on_valid(score, total, keep) for keep in keeps},
        "data_driven": {keep: data_driven(full.eval(), loss, keep, seed=seed)[0] for keep in keeps},
    }


def _finetune(model, tokenizer, rows: Dataset, settings: dict, layer_drop: dict, seed: int, title: str):
    """A plain classifier on labelled texts, with the settings of a FastBERT recipe."""
    settings = dict(settings)
    module = HiddenTokens(model, tokenizer.mask_token_id, settings.pop("hide_tokens", 0.0)).train()
    drop = LayerDrop(**layer_drop).attach(model)
    train(
        module,
        tokenise(rows, tokenizer),
        DataCollatorWithPadding(tokenizer),
        LoopSettings(**settings, seed=seed),
        resume_folder=UNFINISHED / title,
        before_step=drop.seed,
        title=title,
    )
    drop.detach()


@torch.no_grad()
def accuracy(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, rows: Dataset
) -> float:
    """The share of `rows` that a plain classifier answers as labelled; the model is left evaluating."""
    model.eval()
    encoded, collate = tokenise(rows, tokenizer), DataCollatorWithPadding(tokenizer)
    right = 0
    for batch in LengthBuckets([len(row["input_ids"]) for row in encoded], 4096, seed=0):
        inputs = collate([encoded[number] for number in batch]).to(model.device)
        labels = inputs.pop("labels")
        right += int((model(**inputs).logits.argmax(-1) == labels).sum())
    return right / len(encoded)
