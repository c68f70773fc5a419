"""The experiment behind lesson 4: one backbone, cut to fewer layers in three ways.

- `masked_loss`: the pre-trained network, cut to every other layer; its loss on held-out texts, without
  training after the cut (only where the backbone has its masked-language-model head);
- `cut`: fine-tuned with all its layers, then cut by each strategy, without training after the cut;
- `cut_then_tuned`: pre-trained, cut to every other layer, then fine-tuned at that depth (the paper's way
  on GLUE, A.1.5);
- `cut_then_healed`: fine-tuned with all its layers, cut by each strategy, then trained a little further
  (only where the recipe asks for it).

Recipes differ in the backbone only: trained with LayerDrop or without, with fewer layers from the start,
or distilled.
"""

import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from transformers import (
    AutoConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
)

from course_lib.measures.answers import save_right
from course_lib.measures.records import write_record
from course_lib.measures.trace import trace_file
from course_lib.models.backbones import find_model, load_tokenizer, load_weights
from course_lib.models.layerdrop import LayerDrop
from course_lib.models.pruning import data_driven, every_other, only_layers, prune, search_on_valid
from course_lib.models.similarity import block_influence, most_influential
from course_lib.paths import ANSWERS, RUNS, UNFINISHED
from course_lib.texts.batches import LengthBuckets, tokenise
from course_lib.texts.corpora import load_corpus
from course_lib.texts.shape import class_names, fingerprint
from course_lib.training.finetune import HiddenTokens
from course_lib.training.loop import LoopSettings, train
from course_lib.training.pretrain import held_out_loss
from course_lib.training.provenance import begins_with, identity
from course_lib.training.recipes import STRATEGIES, recipe_columns


def run_pruning_study(recipe: dict, seed: int, runs: Path = RUNS, folder: Path = ANSWERS) -> dict:
    """Trains, cuts and measures for one seed -> its run record.

    The recipe lists in `cut`, `tuned` and `healed` how many layers are kept. Which texts each network
    answered rightly is left in `folder`.
    """
    start = time.perf_counter()
    corpus = load_corpus(recipe["data"], **recipe_columns(recipe))
    data = fingerprint(corpus)
    run = identity(recipe, [data, seed])
    name = f"{recipe['name']}-seed{seed}"
    backbone = find_model(recipe["backbone"])
    config = AutoConfig.from_pretrained(backbone)
    tokenizer = load_tokenizer(backbone, config)
    tokenizer.model_max_length = min(tokenizer.model_max_length, recipe.get("max_tokens", 512))
    total = config.num_hidden_layers
    cuts = {keep: every_other(total, keep) for keep in {total, *recipe["cut"], *recipe["tuned"]}}
    options = dict(num_labels=len(class_names(corpus)), hidden_dropout_prob=0.1, problem_type=None)
    right: dict[str, np.ndarray] = {}  # [N] of each network

    def tuned(keep: int, layer_drop: dict | None = None) -> BertForSequenceClassification:
        torch.manual_seed(seed)
        model = prune(load_weights(BertForSequenceClassification, backbone, **options), cuts[keep])
        title = f"{name}, {keep} layers"  # it names the folder of the unfinished run
        if keep == total and layer_drop != recipe.get("layer_drop"):
            title += ", without LayerDrop"  # beside the run of all layers with it
        _finetune(model, tokenizer, corpus["train"], recipe["finetune"], layer_drop, seed, run, title)
        return model

    def healed(strategy: str, layers: list[int]) -> BertForSequenceClassification:
        model = prune(full, layers)
        title = f"{name}, {strategy}, {len(layers)} layers, healed"
        _finetune(model, tokenizer, corpus["train"], recipe["heal"], None, seed, run, title)
        return model

    def measured(title: str, model: BertForSequenceClassification) -> float:
        right[title] = answers_rightly(model, tokenizer, corpus["test"])
        return float(right[title].mean())

    full = tuned(total, recipe.get("layer_drop"))
    chosen = _chosen_layers(full, tokenizer, corpus, recipe, seed)
    metrics = {
        "layers": total,
        "accuracy": measured("whole", full),
        "parameters": {keep: prune(full, layers).num_parameters() for keep, layers in cuts.items()},
        "masked_loss": _masked_losses(backbone, tokenizer, corpus["validation"], cuts),
        "cut": {
            strategy: {
                keep: {
                    "layers": layers,
                    "accuracy": measured(f"cut.{strategy}.{keep}", prune(full, layers)),
                }
                for keep, layers in kept.items()
            }
            for strategy, kept in chosen.items()
        },
        "cut_then_tuned": {keep: measured(f"tuned.{keep}", tuned(keep)) for keep in recipe["tuned"]},
        "cut_then_healed": {
            strategy: {
                keep: measured(f"healed.{strategy}.{keep}", healed(strategy, kept[keep]))
                for keep in recipe.get("healed", [])
            }
            for strategy, kept in chosen.items()
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
    save_right(trace_file(recipe["name"], seed, "test", folder), right)
    return write_record(name, record, runs)


def _masked_losses(
    backbone: str, tokenizer: PreTrainedTokenizerFast, rows: Dataset, cuts: dict[int, list[int]]
) -> dict[int, float]:
    """Number of layers kept -> nats a hidden token; nothing where the backbone has no such head."""
    if "BertForMaskedLM" not in (AutoConfig.from_pretrained(backbone).architectures or []):
        return {}
    masked = load_weights(BertForMaskedLM, backbone)
    texts = tokenise(rows.select_columns("text"), tokenizer)
    return {keep: held_out_loss(prune(masked, layers), tokenizer, texts) for keep, layers in cuts.items()}


def _chosen_layers(
    full: BertForSequenceClassification, tokenizer, corpus: DatasetDict, recipe: dict, seed: int
) -> dict[str, dict[int, list[int]]]:
    """What each strategy of the recipe keeps of a fine-tuned network: strategy -> number kept -> depths."""
    total = full.config.num_hidden_layers
    validation = corpus["validation"]
    validation = validation.select(range(min(recipe.get("search_texts", len(validation)), len(validation))))

    @cache  # the search for 3 layers begins as the one for 6 does
    def score(keep: tuple[int, ...]) -> float:
        with only_layers(full, keep):
            return float(answers_rightly(full, tokenizer, validation).mean())

    rows, collate = tokenise(corpus["train"], tokenizer), DataCollatorWithPadding(tokenizer)
    batches = LengthBuckets([len(row["input_ids"]) for row in rows], 2048, seed).batches

    def loss(step: int) -> torch.Tensor:
        batch = collate([rows[number] for number in batches[step % len(batches)]])
        return full(**batch.to(full.device)).loss

    @cache
    def influence() -> list[float]:
        few = batches[:20]  # it hardly differs from text to text
        return block_influence(full.eval(), (collate([rows[n] for n in batch]) for batch in few))

    choose = {
        "every_other": lambda keep: every_other(total, keep),
        "first": lambda keep: list(range(1, keep + 1)),
        "search": lambda keep: search_on_valid(lambda depths: score(tuple(depths)), total, keep),
        "similarity": lambda keep: most_influential(influence(), keep),
        "data_driven": lambda keep: data_driven(full.eval(), loss, keep, steps=100, seed=seed)[0],
    }
    return {
        strategy: {keep: choose[strategy](keep) for keep in recipe["cut"]}
        for strategy in recipe.get("strategies", STRATEGIES)
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
def answers_rightly(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, rows: Dataset
) -> np.ndarray:
    """Which of `rows` a plain classifier answers as labelled -> [N], True or False; it is left evaluating."""
    model.eval()
    encoded, collate = tokenise(rows, tokenizer), DataCollatorWithPadding(tokenizer)
    right = np.zeros(len(encoded), dtype=bool)
    for batch in LengthBuckets([len(row["input_ids"]) for row in encoded], 4096, seed=0):
        inputs = collate([encoded[number] for number in batch]).to(model.device)
        labels = inputs.pop("labels")
        right[batch] = (model(**inputs).logits.argmax(-1) == labels).cpu().numpy()
    return right
