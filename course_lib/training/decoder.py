"""A decoder with exits from a recipe: the language model, then its exits from its own answers; then its
record."""

import json
import math
import shutil
import time
from pathlib import Path

import torch
from datasets import DatasetDict
from safetensors.torch import load_model, save_model
from transformers import PreTrainedTokenizerFast

from course_lib.measures.by_depth import DepthFigures, cut_losses, figures_by_depth, last_loss, text_batches
from course_lib.measures.poem_form import form_figures
from course_lib.measures.records import write_record
from course_lib.models.checkpoints import save_checkpoint
from course_lib.models.decoder import ExitDecoderConfig, ExitDecoderForCausalLM
from course_lib.models.layerdrop import LayerDrop
from course_lib.models.pruning import every_other
from course_lib.paths import UNFINISHED
from course_lib.texts.batches import NextTokens, to_the_end
from course_lib.texts.corpora import UNLABELLED
from course_lib.texts.poems import lines_of
from course_lib.texts.shape import fingerprint
from course_lib.texts.tokenizers import train_poem_characters
from course_lib.training.loop import LoopSettings, seconds_spent, train
from course_lib.training.provenance import identity

WRITTEN = 64  # poems that are written on from their first lines, for the record
MEASURED = 1000  # poems of a split that the exits are measured on
POEMS_FOR_CUTS = 200  # that every cut is tried on


def train_decoder(recipe: dict, seed: int, keep: bool, checkpoints: Path, runs: Path) -> dict:
    """Both stages of a decoder for one seed, then its figures; the checkpoint is kept only if `keep` says so.

    A recipe's [finetune] may say `joint = true` (the early exits train as well, as in LayerSkip) and give a
    `layer_drop` table (see `LayerDrop`). In [distil] the exits learn from the last layer, and nothing else
    changes.

    Raises:
        ValueError: the data are no corpus to write on from.
    """
    start = time.perf_counter()
    if recipe["data"] not in UNLABELLED:
        raise ValueError(
            f"{recipe['name']}: data must be one of {', '.join(UNLABELLED)}, not {recipe['data']!r}"
        )
    corpus = UNLABELLED[recipe["data"]]()
    data = fingerprint(corpus)
    run = identity(recipe, [data, seed])
    model, tokenizer = new_decoder(recipe, corpus, seed)
    name = f"{recipe['name']}-seed{seed}"
    unfinished = UNFINISHED / name
    earlier = sum(seconds_spent(unfinished / stage) for stage in ("finetune", "distil"))
    earlier += _finished(unfinished, run).get("seconds", 0.0)

    history = _language_model_once(model, tokenizer, corpus, recipe, seed, unfinished, run, start)
    validation, test = (
        text_batches(corpus[split]["text"][:MEASURED], tokenizer) for split in ("validation", "test")
    )
    before = figures_by_depth(model, validation)
    history["distil"] = _stage(model, tokenizer, corpus, recipe, "distil", seed, unfinished, run)
    if keep:
        save_checkpoint(checkpoints / recipe["name"], model, tokenizer, dtype=torch.float16)
    record = {
        "recipe": recipe,
        "seed": seed,
        "data": data,
        "metrics": {
            "exits_before_distillation": _rounded(before),
            "exits": _rounded(figures_by_depth(model, validation)),
            "exits_on_test": _rounded(figures_by_depth(model, test)),
            "cut": cut_metrics(model, text_batches(corpus["test"]["text"][:POEMS_FOR_CUTS], tokenizer)),
            "written": written_metrics(model, tokenizer, corpus["test"]["text"][:WRITTEN]),
        },
        "history": history,
        "seconds": round(earlier + time.perf_counter() - start),
    }
    shutil.rmtree(unfinished, ignore_errors=True)
    return write_record(name, record, runs)


def new_decoder(
    recipe: dict, corpus: DatasetDict, seed: int
) -> tuple[ExitDecoderForCausalLM, PreTrainedTokenizerFast]:
    """A decoder with random weights, and a tokenizer of the training texts' characters.

    Raises:
        ValueError: another kind of tokenizer.
    """
    options = dict(recipe["tokenizer"])
    if (kind := options.pop("kind")) != "characters":
        raise ValueError(f"tokenizer kind must be 'characters' for a decoder, not {kind!r}")
    tokenizer = train_poem_characters(corpus["train"]["text"], **options)
    torch.manual_seed(seed)
    config = ExitDecoderConfig(
        vocab_size=len(tokenizer),
        n_positions=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **recipe["model"],
    )
    return ExitDecoderForCausalLM(config), tokenizer


def cut_metrics(model: ExitDecoderForCausalLM, batches: list[dict]) -> dict[str, dict]:
    """The loss (nats a token) with fewer layers, and the exit of the same depth beside it.

    Three cuts of each size: evenly spaced layers, the first ones, and the first ones with their exit. Only
    the first runs what LayerDrop trains for.
    """
    layers = model.config.num_hidden_layers
    exits = figures_by_depth(model, batches).loss
    found = {}
    for keep in range(1, layers + 1):
        spaced, first = every_other(layers, keep), list(range(1, keep + 1))
        losses = cut_losses(model, batches, [spaced, first])
        found[str(keep)] = {
            "every_other": round(losses[tuple(spaced)], 4),
            "first": round(losses[tuple(first)], 4),
            "exit": round(exits[keep - 1], 4),
        }
    return found


@torch.no_grad()
def written_metrics(model: ExitDecoderForCausalLM, tokenizer, poems: list[str]) -> dict[str, dict]:
    """Form and variety of what the whole network writes on from first lines (drawn at temperature 0.8), and
    of the poems themselves."""
    torch.manual_seed(0)
    model.eval()
    texts = []
    for poem in poems:
        prompt = tokenizer(lines_of(poem)[0] + "，", return_tensors="pt")["input_ids"]
        room = model.config.n_positions - prompt.shape[1]
        ids = model.generate(prompt, max_new_tokens=room, do_sample=True, temperature=0.8, top_k=0)
        texts.append(tokenizer.decode(ids[0], skip_special_tokens=True))
    return {
        "decoder": {key: round(value, 4) for key, value in form_figures(texts).items()},
        "poets": {key: round(value, 4) for key, value in form_figures(poems).items()},
        "examples": texts[:4],
    }


def _stage(
    model, tokenizer, corpus, recipe: dict, stage: str, seed: int, unfinished: Path, run: str
) -> list[dict]:
    """One of a recipe's two tables."""
    options = dict(recipe[stage])
    joint = options.pop("joint", False)
    model.set_stage("distill" if stage == "distil" else "joint" if joint else "finetune").train()
    drop = LayerDrop(**options.pop("layer_drop", {"rate": 0.0})).attach(model)
    history = train(
        model,
        to_the_end(corpus["train"]["text"], tokenizer),
        NextTokens(tokenizer),
        LoopSettings(**options, seed=seed),
        resume_folder=unfinished / stage,
        identity=run,
        before_step=drop.seed,
        title=f"{recipe['name']}, {stage}, seed {seed}",
    )
    drop.detach()
    return history


def _language_model_once(
    model, tokenizer, corpus, recipe: dict, seed: int, unfinished: Path, run: str, start: float
) -> dict:
    """The first stage, or what it left if only the second was interrupted: its history and its held-out
    loss."""
    weights = unfinished / "finetuned.safetensors"
    if done := _finished(unfinished, run):
        load_model(model, weights)
        return done["history"]
    earlier = seconds_spent(unfinished / "finetune")
    history = {"finetune": _stage(model, tokenizer, corpus, recipe, "finetune", seed, unfinished, run)}
    loss = last_loss(model, text_batches(corpus["validation"]["text"][:MEASURED], tokenizer))
    history |= {"held_out_loss": round(loss, 4), "held_out_perplexity": round(math.exp(loss), 2)}
    unfinished.mkdir(parents=True, exist_ok=True)
    save_model(model, weights)
    note = {"identity": run, "history": history, "seconds": earlier + time.perf_counter() - start}
    (unfinished / "finetuned.json").write_text(json.dumps(note))
    return history


def _finished(unfinished: Path, run: str) -> dict:
    """The note on a first stage of this run that is done; {} if there is none."""
    note = unfinished / "finetuned.json"
    done = json.loads(note.read_text("utf-8")) if note.is_file() else {}
    return done if done.get("identity") == run else {}


def _rounded(figures: DepthFigures) -> dict:
    return {
        "loss": [round(value, 4) for value in figures.loss],
        "perplexity": [round(value, 2) for value in figures.perplexity],
        "agreement": [round(value, 4) for value in figures.agreement],
        "tokens": figures.tokens,
    }
