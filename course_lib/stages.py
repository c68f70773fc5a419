"""The three stages: pre-train, fine-tune, self-distil.

A recipe (data/recipes/<name>.toml) says what is trained and how; every stage trains with the one loop
of `loop.py`. `run_recipe` is what `course train NAME` calls: it leaves checkpoints, traces and a run
record.
"""

import hashlib
import json
import re
import shutil
import sys
import time
from graphlib import TopologicalSorter
from pathlib import Path

import torch
from datasets import Dataset, DatasetDict
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BertForMaskedLM,
    DataCollatorWithPadding,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
)

from course_lib import corpora
from course_lib import tokenizer as tokenizers
from course_lib.baseline import train_baseline
from course_lib.checkpoints import MANIFEST, checked, load_weights, save_checkpoint
from course_lib.fastbert import FastBertConfig, FastBertForSequenceClassification
from course_lib.layerdrop import LayerDrop
from course_lib.loop import LengthBuckets, LoopSettings, seconds_spent, train
from course_lib.paths import CHECKPOINTS, DATA, RECIPES, RUNS, TRACES
from course_lib.pretraining import MaskedLanguageModel, new_masked_lm, stack
from course_lib.recipes import OPTIONS, read_recipe
from course_lib.records import read_record, write_record
from course_lib.report import cut_metrics, fastbert_metrics
from course_lib.static_student import StudentLanguageModel, new_student
from course_lib.trace import ExitTrace
from course_lib.worlds import worlds, worlds_tokenizer

BEGINS_WITH = ("start", "teacher", "backbone")  # the keys of a recipe that name a checkpoint
UNFINISHED = DATA / "unfinished"  # what an interrupted training resumes from; not committed


def run_recipe(
    name_or_file: str | Path,
    seed: int | None = None,
    backbone: str | None = None,
    data: str | None = None,
    checkpoints: Path = CHECKPOINTS,
    runs: Path = RUNS,
    traces: Path = TRACES,
) -> dict:
    """Trains what a recipe says and returns its run record.

    Args:
        seed: train this seed only (some recipes list several). A pre-training with another seed than the
            recipe's bears that in its name.
        backbone: any BERT, by folder or hub name, in place of the recipe's.
        data: a file (.csv, .jsonl, .parquet) or hub name with text and label, in place of the recipe's.
        checkpoints, runs, traces: the folders that receive the results. What is trained with another
            backbone or on other data bears their names, so that it replaces nothing of the course; if one
            seed is asked for, its checkpoint is kept, whichever it is.

    Raises:
        ValueError: an option that means nothing for this recipe.
    """
    recipe = read_recipe(name_or_file)
    options = {"seed": seed, "backbone": backbone, "data": data}
    for option in set(options) - set(OPTIONS[recipe["stage"]]):
        if options[option] is not None:
            raise ValueError(f"a recipe of stage {recipe['stage']!r} takes no --{option}")
    replaced = [key for key in ("backbone", "data") if options[key] not in (None, recipe.get(key))]
    for key in replaced:
        recipe |= {key: options[key], "name": f"{recipe['name']}-{name_part(options[key])}"}

    if recipe["stage"] == "pretrain":
        if seed not in (None, recipe["seed"]):
            recipe |= {"seed": seed, "name": f"{recipe['name']}-seed{seed}"}
        return pretrain(recipe, checkpoints, runs)
    if recipe["stage"] == "baseline":
        return train_baseline(load_corpus(recipe["data"]), recipe["name"], runs)
    seeds = recipe["seeds"] if seed is None else [seed]
    if recipe["stage"] == "fastbert":
        kept = seed if replaced and seed is not None else recipe["seeds"][0]
        keep = [recipe.get("keep", True) and each == kept for each in seeds]
        return [
            train_fastbert(recipe, *each, checkpoints, runs, traces) for each in zip(seeds, keep, strict=True)
        ][-1]
    from course_lib.pruning_study import run_pruning_study  # it needs this module itself

    return [run_pruning_study(recipe, each, runs) for each in seeds][-1]


def name_part(given: str) -> str:
    """What a backbone or data set adds to a run's name: "org/bert-v1.5" -> "org-bert-v1.5", "my.csv" -> "my".

    Of an absolute path only the last part counts; the folders above say nothing.
    """
    path = Path(given)
    if path.suffix.lower() in corpora.FORMATS:
        path = path.with_suffix("")
    parts = [path.name] if path.is_absolute() else path.parts
    return re.sub(r"[^\w.-]+", "-", "-".join(part for part in parts if part != ".."))


def identity(recipe: dict, data: object) -> str:
    """What a run is made of, as a SHA-256: recipe, fingerprint of the data, and weights it begins with."""
    parts = [recipe, data]
    for name in filter(None, (recipe.get(key) for key in BEGINS_WITH)):
        manifest = Path(find_model(name)) / MANIFEST
        parts.append(manifest.read_text("utf-8") if manifest.is_file() else name)
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def begins_with(recipe: dict) -> dict[str, str]:
    """The checkpoints that a run begins with, each with the SHA-256 of its weights ("" if nobody knows)."""
    found = {}
    for name in filter(None, (recipe.get(key) for key in BEGINS_WITH)):
        manifest = Path(find_model(name)) / MANIFEST
        checksums = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {}
        found[name] = checksums.get("model.safetensors", "")
    return found


def reproduce_order() -> list[str]:
    """All recipes of the course, each after the ones whose checkpoints it needs."""
    recipes = {path.stem: read_recipe(path.stem) for path in sorted(RECIPES.glob("*.toml"))}
    recipes = {name: recipe for name, recipe in recipes.items() if recipe.get("reproduce", True)}
    needs = {
        name: {recipe.get(key) for key in BEGINS_WITH} & recipes.keys() for name, recipe in recipes.items()
    }
    return list(TopologicalSorter(needs).static_order())


def reproduce() -> None:
    """Trains all recipes of the course; after an interruption, those that it had not finished yet."""
    note = UNFINISHED / "reproduced.json"
    done = json.loads(note.read_text("utf-8")) if note.is_file() else []
    for name in reproduce_order():
        for seed in read_recipe(name).get("seeds", [None]):
            if [name, seed] not in done:
                run_recipe(name, seed)
                done.append([name, seed])
                note.parent.mkdir(parents=True, exist_ok=True)
                note.write_text(json.dumps(done))
    note.unlink()


def recorded_minutes(recipe: dict, runs: Path = RUNS) -> tuple[float, bool] | None:
    """How long a recipe takes, all seeds together, by its run records; None where there is none yet.

    Returns:
        The minutes, and whether every seed has a record; one that has none is taken to last as long as
        the others.
    """
    names = (
        [f"{recipe['name']}-seed{seed}" for seed in recipe["seeds"]]
        if "seeds" in recipe
        else [recipe["name"]]
    )
    seconds = [read_record(name, runs)["seconds"] for name in names if (runs / f"{name}.json").is_file()]
    if not seconds:
        return None
    return sum(seconds) / len(seconds) * len(names) / 60, len(seconds) == len(names)


# --- pre-training ----------------------------------------------------------------------------------


def pretrain(recipe: dict, checkpoints: Path = CHECKPOINTS, runs: Path = RUNS) -> dict:
    """Masked-language-model training, phase by phase, each as deep as the last or deeper.

    It begins with random weights, or with those of the checkpoint that the recipe calls `start`. With a
    `layer_drop` table in the recipe (see `LayerDrop`), layers are left out at random. With a `teacher` it
    begins with evenly spaced layers of that checkpoint and learns from its answers (see `static_student.py`).
    """
    start = time.perf_counter()
    texts = {"reviews": corpora.reviews()["train"], "newspaper": corpora.newspaper()}
    bert = teacher = None
    if "start" in recipe or "teacher" in recipe:
        folder = find_model(recipe.get("start") or recipe["teacher"])
        tokenizer = AutoTokenizer.from_pretrained(folder)
        bert = load_weights(BertForMaskedLM, folder)
        limit_length(tokenizer, bert.config)
        if "teacher" in recipe:
            teacher, bert = bert, new_student(bert, recipe["phases"][0]["layers"])
    else:
        tokenizer = make_tokenizer(recipe["tokenizer"], texts["reviews"])
    tokens = {name: tokenise(rows.select_columns("text"), tokenizer) for name, rows in texts.items()}
    held_out = tokenise(corpora.reviews()["validation"].select_columns("text"), tokenizer)

    data = {name: corpora.fingerprint(rows) for name, rows in texts.items()}
    run = identity(recipe, data)
    unfinished, history = UNFINISHED / recipe["name"], []
    earlier = 0.0  # seconds that interrupted processes have spent
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
        resume_folder, finished = unfinished / f"phase{number}", unfinished / f"phase{number}-done"
        if (finished / "phase.json").is_file():
            record, earlier = finished_phase(finished, run)
            history.append(record)
            bert = BertForMaskedLM.from_pretrained(finished)
            continue
        earlier += seconds_spent(resume_folder)
        rows = [row for name, times in phase["corpora"].items() for row in tokens[name] * times]
        drop = LayerDrop(**recipe.get("layer_drop", {"rate": 0.0})).attach(bert)
        module = MaskedLanguageModel(bert, tokenizer)
        if teacher is not None:
            module = StudentLanguageModel(bert, tokenizer, teacher)
        phase_history = train(
            module,
            rows,
            DataCollatorWithPadding(tokenizer),
            settings,
            resume_folder=resume_folder,
            identity=run,
            before_step=drop.seed,
            title=f"{recipe['name']}, {phase['layers']} layers",
        )
        drop.detach()
        loss = held_out_loss(bert, tokenizer, held_out)
        # On stderr, as the progress bar is: stdout belongs to `course train --json`.
        print(f"phase {number}: {phase['layers']} layers, held-out loss {loss:.4f}", file=sys.stderr)
        history.append({**phase, "held_out_loss": loss, "history": phase_history})
        bert.save_pretrained(finished)
        done = {"identity": run, "record": history[-1], "seconds": earlier + time.perf_counter() - start}
        (finished / "phase.json").write_text(json.dumps(done))

    save_checkpoint(checkpoints / recipe["name"], bert, tokenizer, dtype=torch.float16)
    record = {
        "recipe": recipe,
        "data": data,
        "begins_with": begins_with(recipe),
        "phases": history,
        "seconds": round(earlier + time.perf_counter() - start),
    }
    shutil.rmtree(unfinished, ignore_errors=True)
    return write_record(recipe["name"], record, runs)


def finished_phase(folder: Path, run: str) -> tuple[dict, float]:
    """A phase that an interrupted pre-training has done: its record, and the seconds spent until its end.

    Raises:
        ValueError: it belongs to another recipe, or to other data or weights.
    """
    done = json.loads((folder / "phase.json").read_text("utf-8"))
    if done["identity"] != run:
        raise ValueError(f"{folder} comes from another recipe or other data; delete it to start anew")
    return done["record"], done.get("seconds", 0.0)  # earlier versions of the course kept no seconds


@torch.no_grad()
def held_out_loss(bert: BertForMaskedLM, tokenizer, rows: list[dict], mask_rate: float = 0.3) -> float:
    """The masked-language-model loss (nats a token) on texts not trained on, always masked alike."""
    model = MaskedLanguageModel(bert, tokenizer, mask_rate).to(bert.device).eval()
    collate = DataCollatorWithPadding(tokenizer)
    torch.manual_seed(0)
    losses = [
        model(**collate([rows[index] for index in batch]).to(bert.device))
        for batch in LengthBuckets([len(row["input_ids"]) for row in rows], 4096, seed=0)
    ]
    model.train()
    return torch.stack(losses).mean().item()


# --- FastBERT: fine-tune, then self-distil ---------------------------------------------------------


def train_fastbert(recipe: dict, seed: int, keep: bool, checkpoints: Path, runs: Path, traces: Path) -> dict:
    """Both stages of FastBERT for one seed, then its traces and figures.

    The checkpoint and the traces are kept only if `keep` says so.
    """
    start = time.perf_counter()
    corpus = load_corpus(recipe["data"])
    data = corpora.fingerprint(corpus)
    run = identity(recipe, [data, seed])
    model, tokenizer = new_fastbert(recipe, corpus, seed)
    name = f"{recipe['name']}-seed{seed}"
    unfinished = UNFINISHED / name
    earlier = seconds_before(unfinished, run)
    history = {
        "finetune": finetune_once(model, tokenizer, corpus, recipe, seed, unfinished, run),
        "distil": self_distil(model, tokenizer, corpus, recipe, seed, unfinished / "distil", run),
    }
    found = {split: ExitTrace.of(model, tokenizer, corpus[split]) for split in ("validation", "test")}
    if keep:
        save_checkpoint(checkpoints / recipe["name"], model, tokenizer, dtype=torch.float16)
        for split, trace in found.items():
            trace.save(traces / f"{recipe['name']}-{split}.safetensors")
    record = {
        "recipe": recipe,
        "seed": seed,
        "data": data,
        "begins_with": begins_with(recipe),
        "metrics": {
            **fastbert_metrics(found["validation"], found["test"], corpus["test"]),
            "cut": cut_metrics(model, tokenizer, corpus["test"]),
        },
        "history": history,
        "seconds": round(earlier + time.perf_counter() - start),
    }
    shutil.rmtree(unfinished, ignore_errors=True)
    return write_record(name, record, runs)


def new_fastbert(
    recipe: dict, corpus: DatasetDict, seed: int
) -> tuple[FastBertForSequenceClassification, PreTrainedTokenizerFast]:
    """A FastBERT whose exits are untrained: on the recipe's backbone, or from scratch without one."""
    names = corpora.class_names(corpus)
    options = {
        **recipe["model"],
        "num_labels": len(names),
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
    }
    torch.manual_seed(seed)
    if "backbone" not in recipe:
        if recipe["data"] != "worlds":
            raise ValueError(
                f"{recipe['name']} knows the words of the worlds only; other data need a backbone"
            )
        tokenizer = worlds_tokenizer()
        config = FastBertConfig(
            vocab_size=len(tokenizer), max_position_embeddings=tokenizer.model_max_length, **options
        )
        return FastBertForSequenceClassification(config), tokenizer
    backbone = find_model(recipe["backbone"])
    kind = AutoConfig.from_pretrained(backbone).model_type
    if kind not in ("bert", "fastbert"):
        raise ValueError(f"{recipe['backbone']} is a {kind!r} model; the backbone must be a BERT")
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    model = load_weights(FastBertForSequenceClassification, backbone, **options)
    limit_length(tokenizer, model.config)
    return model, tokenizer


def limit_length(tokenizer: PreTrainedTokenizerFast, config: PreTrainedConfig) -> None:
    """Texts are cut where the model's positions end; many tokenizers on the hub do not know where."""
    tokenizer.model_max_length = min(tokenizer.model_max_length, config.max_position_embeddings)


def seconds_before(unfinished: Path, run: str) -> float:
    """How long interrupted processes have trained the FastBERT that lies in `unfinished`."""
    done = finetuned(unfinished, run) or {}
    return done.get("seconds", 0.0) + sum(seconds_spent(unfinished / part) for part in ("finetune", "distil"))


def finetuned(unfinished: Path, run: str) -> dict | None:
    """The note on a fine-tuning of this run that is done; None if there is none."""
    note = unfinished / "finetuned.json"
    done = json.loads(note.read_text("utf-8")) if note.is_file() else {}
    return done if done.get("identity") == run else None


def finetune_once(
    model, tokenizer, corpus, recipe: dict, seed: int, unfinished: Path, run: str
) -> list[dict]:
    """`finetune`, or what it left if only the distillation was interrupted."""
    start, earlier = time.perf_counter(), seconds_spent(unfinished / "finetune")
    weights, note = unfinished / "finetuned.safetensors", unfinished / "finetuned.json"
    if done := finetuned(unfinished, run):
        model.load_state_dict(load_file(weights))
        return done["history"]
    history = finetune(model, tokenizer, corpus, recipe, seed, unfinished / "finetune", run)
    unfinished.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), weights)
    seconds = earlier + time.perf_counter() - start
    note.write_text(json.dumps({"identity": run, "history": history, "seconds": seconds}))
    return history


def finetune(
    model, tokenizer, corpus, recipe: dict, seed: int, resume_folder: Path, run: str = ""
) -> list[dict]:
    """Backbone and teacher on labels (paper, section 3.2.2).

    Besides the loop's settings, a recipe may say `joint = true` (all exits train as well: the paper's
    ablation), `hide_tokens` (see `HiddenTokens`), `step_by_step = true` (see `StepByStep`) or give a
    `layer_drop` table (see `LayerDrop`).
    """
    options = dict(recipe["finetune"])
    model.set_stage("joint" if options.pop("joint", False) else "finetune").train()
    rows = tokenise(corpus["train"], tokenizer)
    drop = LayerDrop(**options.pop("layer_drop", {"rate": 0.0})).attach(model)
    module = HiddenTokens(model, tokenizer.mask_token_id, options.pop("hide_tokens", 0.0))
    if options.pop("step_by_step", False):
        if "holders" not in corpus["train"].column_names:
            raise ValueError("step_by_step needs the worlds: the column 'holders' is missing")
        module = StepByStep(model, len(corpus["train"]["holders"][0]) - 1, drop)
        for row, holders in zip(rows, corpus["train"]["holders"], strict=True):
            row["holders"] = holders
    history = train(
        module,
        rows,
        DataCollatorWithPadding(tokenizer),
        LoopSettings(**options, seed=seed),
        resume_folder=resume_folder,
        identity=run,
        before_step=drop.seed,
        after_epoch=lambda _: {
            "validation_accuracy": teacher_accuracy(model, tokenizer, corpus["validation"])
        },
        title=f"fine-tuning, seed {seed}",
    )
    drop.detach()
    return history


class StepByStep(torch.nn.Module):
    """Fine-tuning on the worlds with a question at every layer.

    After the k-th layer that runs, a linear head on [CLS] is asked who holds the ball after k - 1 passes
    (or after the last pass, if there are fewer); the teacher is asked for the answer. Where LayerDrop
    leaves layers out, k falls behind the depth: no layer is asked for more passes than those below it
    could follow. Without these questions a small network stays at the start for thousands of steps. The
    heads are thrown away after training: the students are distilled from the teacher's answer alone.
    """

    def __init__(self, model: FastBertForSequenceClassification, num_steps: int, drop: LayerDrop):
        if drop.unit != "layer":
            raise ValueError(f"step_by_step goes with whole layers, not with unit = {drop.unit!r}")
        super().__init__()
        self.model, self.drop = model, drop
        config = model.config
        heads = [torch.nn.Linear(config.hidden_size, config.num_labels) for _ in model.exits]
        self.heads = torch.nn.ModuleList(heads)  # by k
        self.num_steps = num_steps

    def forward(self, input_ids, attention_mask, labels, holders, **_) -> torch.Tensor:
        """holders [B, S+1]: who has the ball after 0, 1, …, S passes -> the mean loss of all questions."""
        states = self.model.layer_states(input_ids, attention_mask, None)
        losses = [cross_entropy(self.model.exits[-1](*states[-1]), labels)]
        after_layers = [hidden for (hidden, _), ran in zip(states, self.drop.runs, strict=True) if ran]
        for passes, hidden in enumerate(after_layers):
            head = self.heads[passes]
            losses.append(cross_entropy(head(hidden[:, 0]), holders[:, min(passes, self.num_steps)]))
        return torch.stack(losses).mean()


class HiddenTokens(torch.nn.Module):
    """Replaces a share of the tokens by [MASK] while `model` trains: the small corpus looks larger."""

    def __init__(self, model: FastBertForSequenceClassification, mask_id: int, share: float):
        super().__init__()
        if not 0 <= share < 1:
            raise ValueError(f"hide_tokens must lie in [0, 1), not {share}")
        self.model, self.mask_id, self.share = model, mask_id, share

    def forward(self, input_ids: torch.Tensor, **rest: torch.Tensor):
        if self.share and self.training:
            hidden = torch.rand(input_ids.shape, device=input_ids.device) < self.share
            hidden[:, 0] = False  # [CLS] collects the answer
            input_ids = input_ids.masked_fill(hidden, self.mask_id)
        return self.model(input_ids, **rest)


def teacher_accuracy(model, tokenizer, rows: Dataset) -> float:
    """The last exit's accuracy on `rows`; the model goes back to training mode."""
    accuracy = float(ExitTrace.of(model, tokenizer, rows).accuracy_by_layer[-1])
    model.train()
    return accuracy


def self_distil(
    model, tokenizer, corpus, recipe: dict, seed: int, resume_folder: Path, run: str = ""
) -> list[dict]:
    """The students alone, on the teacher's answers (paper, section 3.2.3); labels are not looked at."""
    model.set_stage("distill").train()
    return train(
        model,
        tokenise(corpus["train"].select_columns("text"), tokenizer),
        DataCollatorWithPadding(tokenizer),
        LoopSettings(**recipe["distil"], seed=seed),
        resume_folder=resume_folder,
        identity=run,
        title=f"self-distillation, seed {seed}",
    )


# --- shared steps ----------------------------------------------------------------------------------


def load_corpus(name: str) -> DatasetDict:
    """The course's `reviews` or `worlds`, a file of your own, or a data set of the hub (or in its layout).

    Raises:
        FileNotFoundError, ValueError: as `from_files` and `from_hub`.
    """
    if name == "reviews":
        return corpora.reviews()
    if name == "worlds":
        return worlds()
    if Path(name).is_file() or Path(name).suffix.lower() in corpora.FORMATS:
        return corpora.from_files(name)
    return corpora.from_hub(name)


def find_model(name: str) -> str:
    """A folder whose checksums hold, a checkpoint of the course, or else a hub name as it is.

    Raises:
        FileNotFoundError: no such folder, or a checkpoint of the course that has not been trained here.
    """
    try:
        return str(checked(name))
    except FileNotFoundError:
        if (RECIPES / f"{name}.toml").is_file():
            raise FileNotFoundError(
                f"the checkpoint {name!r} is not shipped: `course train {name}` makes it"
            ) from None
        if Path(name).is_absolute() or name.startswith("."):
            raise
        return name


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
