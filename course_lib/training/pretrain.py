"""Stage 1, initial pre-training: a masked language model, phase by phase."""

import json
import shutil
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import BertForMaskedLM, DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.measures.records import write_record
from course_lib.models.backbones import find_model, load_tokenizer, load_weights
from course_lib.models.checkpoints import save_checkpoint
from course_lib.models.layerdrop import LayerDrop
from course_lib.models.masked_lm import MaskedLanguageModel, new_masked_lm, stack
from course_lib.models.students import StudentLanguageModel, new_student
from course_lib.paths import CHECKPOINTS, RUNS, UNFINISHED
from course_lib.texts.batches import LengthBuckets, tokenise
from course_lib.texts.reviews import newspaper, reviews
from course_lib.texts.shape import fingerprint
from course_lib.texts.tokenizers import train_characters, train_pieces
from course_lib.training.loop import LoopSettings, seconds_spent, train
from course_lib.training.provenance import begins_with, identity


def pretrain(recipe: dict, checkpoints: Path = CHECKPOINTS, runs: Path = RUNS) -> dict:
    """Masked-language-model training, phase by phase, each as deep as the last or deeper.

    It begins with random weights, or with those of the checkpoint that the recipe calls `start`. With a
    `layer_drop` table in the recipe (see `LayerDrop`), layers are left out at random. With a `teacher` it
    begins with evenly spaced layers of that checkpoint and learns from its answers (see `students.py`).
    """
    start = time.perf_counter()
    texts = {"reviews": reviews()["train"], "newspaper": newspaper()}
    bert = teacher = None
    if "start" in recipe or "teacher" in recipe:
        folder = find_model(recipe.get("start") or recipe["teacher"])
        bert = load_weights(BertForMaskedLM, folder)
        tokenizer = load_tokenizer(folder, bert.config)
        if "teacher" in recipe:
            teacher, bert = bert, new_student(bert, recipe["phases"][0]["layers"])
    else:
        tokenizer = make_tokenizer(recipe["tokenizer"], texts["reviews"])
    tokens = {name: tokenise(rows.select_columns("text"), tokenizer) for name, rows in texts.items()}
    held_out = tokenise(reviews()["validation"].select_columns("text"), tokenizer)

    data = {name: fingerprint(rows) for name, rows in texts.items()}
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


def make_tokenizer(choice: dict, rows: Dataset) -> PreTrainedTokenizerFast:
    """The tokenizer that a recipe's [tokenizer] table names, trained on `rows`."""
    makers = {"pieces": train_pieces, "characters": train_characters}
    if choice["kind"] not in makers:
        raise ValueError(f"tokenizer kind must be one of {list(makers)}, not {choice['kind']!r}")
    return makers[choice["kind"]](rows["text"], choice["vocab_size"], choice["max_length"])


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
