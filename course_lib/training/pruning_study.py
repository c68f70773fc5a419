"""The experiment behind lesson 4: one backbone, cut to fewer layers in three ways.

- `masked_loss`: the pre-trained network, cut to every other layer; its loss on held-out texts, without
  training after the cut (only where the backbone has its masked-language-model head);
- `cut`: fine-tuned with all its layers, then cut by each strategy, without training after the cut;
- `cut_then_tuned`: pre-trained, cut to every other layer, then fine-tuned at that depth (the paper's way
  on GLUE, A.1.5).

Recipes differ in the backbone only: trained with LayerDrop or without, with fewer layers from the start,
or distilled.
"""

import time
from functools import cache
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict
from transformers import (
    AutoConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
)

from course_lib.measures.records import write_record
from course_lib.models.backbones import find_model, load_tokenizer, load_weights
from course_lib.models.layerdrop import LayerDrop
from course_lib.models.pruning import data_driven, every_other, only_layers, prune, search_on_valid
from course_lib.models.similarity import block_influence, most_influential
from course_lib.paths import RUNS, UNFINISHED
from course_lib.texts.batches import LengthBuckets, tokenise
from course_lib.texts.corpora import load_corpus
from course_lib.texts.shape import class_names, fingerprint
from course_lib.training.finetune import HiddenTokens
from course_lib.training.loop import LoopSettings, train
from course_lib.training.pretrain import held_out_loss
from course_lib.training.provenance import begins_with, identity
from course_lib.training.recipes import recipe_columns


def run_pruning_study(recipe: dict, seed: int, runs: Path = RUNS) -> dict:
    """Trains, cuts and measures for one seed -> its run record.

    The recipe lists in `cut` and in `tuned` how many layers are kept.
    """
    start = time.perf_counter()
    corpus = load_corpus(recipe["data"], **recipe_columns(recipe))
    data = fingerprint(corpus)
    run = identity(recipe, [data, seed])
    name = f"{recipe['name']}-seed{seed}"
    folder = find_model(recipe["backbone"])
    config = AutoConfig.from_pretrained(folder)
    tokenizer = load_tokenizer(folder, config)
    tokenizer.model_max_length = min(tokenizer.model_max_length, recipe.get("max_tokens", 512))
    total = config.num_hidden_layers
    cuts = {keep: every_other(total, keep) for keep in {total, *recipe["cut"], *recipe["tuned"]}}
    options = dict(num_labels=len(class_names(corpus)), hidden_dropout_prob=0.1)

    def tuned(keep: int, layer_drop: dict | None = None) -> BertForSequenceClassification:
        torch.manual_seed(seed)
        model = prune(load_weights(BertForSequenceClassification, folder, **options), cuts[keep])
        title = f"{name}, {keep} layers"  # it names the folder of the unfinished run
        if keep == total and layer_drop != recipe.get("layer_drop"):
            title += ", without LayerDrop"  # beside the run of all layers with it
        _finetune(model, tokenizer, corpus["train"], recipe["finetune"], layer_drop, seed, run, title)
        return model

    full = tuned(total, recipe.get("layer_drop"))
    metrics = {
        "layers": total,
        "accuracy": accuracy(full, tokenizer, corpus["test"]),
        "parameters": {keep: prune(full, layers).num_parameters() for keep, layers in cuts.items()},
        "masked_loss": _masked_losses(folder, tokenizer, corpus["validation"], cuts),
        "cut": {
            strategy: {
                keep: {"layers": layers, "accuracy": accuracy(prune(full, layers), tokenizer, corpus["test"])}
                for keep, layers in chosen.items()
            }
            for strategy, chosen in _chosen_layers(full, tokenizer, corpus, recipe["cut"], seed).items()
        },
        "cut_then_tuned": {
            keep: accuracy(tuned(keep), tokenizer, corpus["test"]) for keep in recipe["tuned"]
        },
    }
    record = {
        "recipe": recipe,
        "seed": seed,
        "data": data,
        "begins_with": begins_with(recipe),
        "metrics": metrics,
        "seconds": round(time.perf_counter() - start),
    }
    return write_record(name, record, runs)


def _masked_losses(
    folder: str, tokenizer: PreTrainedTokenizerFast, rows: Dataset, cuts: dict[int, list[int]]
) -> dict[int, float]:
    """Number of layers kept -> nats a hidden token; nothing where the backbone has no such head."""
    if "BertForMaskedLM" not in (AutoConfig.from_pretrained(folder).architectures or []):
        return {}
    masked = load_weights(BertForMaskedLM, folder)
    texts = tokenise(rows.select_columns("text"), tokenizer)
    return {keep: held_out_loss(prune(masked, layers), tokenizer, texts) for keep, layers in cuts.items()}


def _chosen_layers(
    full: BertForSequenceClassification, tokenizer, corpus: DatasetDict, keeps: list[int], seed: int
) -> dict[str, dict[int, list[int]]]:
    """What each strategy keeps of a fine-tuned network: strategy -> number kept -> depths."""
    total = full.config.num_hidden_layers

    @cache  # the search for 3 layers begins as the one for 6 does
    def score(keep: tuple[int, ...]) -> float:
        with only_layers(full, keep):
            return accuracy(full, tokenizer, corpus["validation"])

    rows, collate = tokenise(corpus["train"], tokenizer), DataCollatorWithPadding(tokenizer)
    batches = LengthBuckets([len(row["input_ids"]) for row in rows], 2048, seed).batches

    def loss(step: int) -> torch.Tensor:
        batch = collate([rows[number] for number in batches[step % len(batches)]])
        return full(**batch.to(full.device)).loss

    def searched(keep: int) -> list[int]:
        return search_on_valid(lambda depths: score(tuple(depths)), total, keep)

    def learned(keep: int) -> list[int]:
        return data_driven(full.eval(), loss, keep, steps=100, seed=seed)[0]

    few = batches[:20]  # influence hardly differs from text to text
    influence = block_influence(full.eval(), (collate([rows[n] for n in batch]) for batch in few))
    return {
        "every_other": {keep: every_other(total, keep) for keep in keeps},
        "first": {keep: list(range(1, keep + 1)) for keep in keeps},
        "search": {keep: searched(keep) for keep in keeps},
        "similarity": {keep: most_influential(influence, keep) for keep in keeps},
        "data_driven": {keep: learned(keep) for keep in keeps},
    }


def _finetune(
    model, tokenizer, rows: Dataset, settings: dict, layer_drop: dict | None, seed: int, run: str, title: str
) -> None:
    """A plain classifier on labelled texts, with the settings of a FastBERT recipe."""
    settings = dict(settings)
    module = HiddenTokens(model, tokenizer.mask_token_id, settings.pop("hide_tokens", 0.0)).train()
    drop = LayerDrop(**(layer_drop or {"rate": 0.0})).attach(model)
    train(
        module,
        tokenise(rows, tokenizer),
        DataCollatorWithPadding(tokenizer),
        LoopSettings(**settings, seed=seed),
        resume_folder=UNFINISHED / title.replace(", ", "-").replace(" ", "-"),
        identity=run,
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
