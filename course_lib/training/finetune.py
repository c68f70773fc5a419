"""Stage 2, fine-tuning: backbone and teacher on labels (FastBERT paper, section 3.2.2)."""

import json
import time
from pathlib import Path

import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy
from transformers import DataCollatorWithPadding

from course_lib.measures.trace import ExitTrace
from course_lib.models.adapters import add_adapters, merge, save_adapters
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.layerdrop import LayerDrop
from course_lib.texts.batches import tokenise
from course_lib.training.loop import LoopSettings, seconds_spent, train


def finetune(
    model, tokenizer, corpus, recipe: dict, seed: int, resume_folder: Path, run: str = ""
) -> list[dict]:
    """Backbone and teacher on labels (paper, section 3.2.2).

    Besides the loop's settings, a recipe may say `joint = true` (all exits train as well: the paper's
    ablation), `hide_tokens` (see `HiddenTokens`), `step_by_step = true` (see `StepByStep`), give a
    `layer_drop` table (see `LayerDrop`), or a `lora_rank`: then the backbone stays as it is, and adapters
    beside it are trained, left in the folder `adapters`, and merged.
    """
    options = dict(recipe["finetune"])
    rank = options.pop("lora_rank", None)
    model.set_stage("joint" if options.pop("joint", False) else "finetune").train()
    rows = tokenise(corpus["train"], tokenizer)
    drop = LayerDrop(**options.pop("layer_drop", {"rate": 0.0})).attach(model)
    if rank is not None:
        add_adapters(model, rank, recipe["backbone"])
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
    if rank is not None:
        save_adapters(model, resume_folder.parent / "adapters")
        merge(model)
    return history


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


def finetuned(unfinished: Path, run: str) -> dict | None:
    """The note on a fine-tuning of this run that is done; None if there is none."""
    note = unfinished / "finetuned.json"
    done = json.loads(note.read_text("utf-8")) if note.is_file() else {}
    return done if done.get("identity") == run else None


def teacher_accuracy(model, tokenizer, rows: Dataset) -> float:
    """The last exit's accuracy on `rows`; the model goes back to training mode."""
    accuracy = float(ExitTrace.of(model, tokenizer, rows).accuracy_by_layer[-1])
    model.train()
    return accuracy


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

    def forward(self, input_ids, attention_mask, labels, holders, token_type_ids=None, **_) -> torch.Tensor:
        """holders [B, S+1]: who has the ball after 0, 1, …, S passes -> the mean loss of all questions."""
        states = self.model.layer_states(input_ids, attention_mask, token_type_ids)
        losses = [cross_entropy(self.model.exits[-1](*states[-1]), labels)]
        after_layers = [hidden for (hidden, _), ran in zip(states, self.drop.runs, strict=True) if ran]
        for passes, hidden in enumerate(after_layers):
            head = self.heads[passes]
            losses.append(cross_entropy(head(hidden[:, 0]), holders[:, min(passes, self.num_steps)]))
        return torch.stack(losses).mean()


class HiddenTokens(torch.nn.Module):
    """Replaces a share of the tokens by [MASK] while `model` trains: the small corpus looks larger."""

    def __init__(self, model: FastBertForSequenceClassification, mask_id: int | None, share: float):
        super().__init__()
        if not 0 <= share < 1:
            raise ValueError(f"hide_tokens must lie in [0, 1), not {share}")
        if share and mask_id is None:
            raise ValueError("hide_tokens needs a [MASK], which this tokenizer does not have: leave it out")
        self.model, self.mask_id, self.share = model, mask_id, share

    def forward(self, input_ids: torch.Tensor, **rest: torch.Tensor):
        if self.share and self.training:
            hidden = torch.rand(input_ids.shape, device=input_ids.device) < self.share
            hidden[:, 0] = False  # [CLS] collects the answer
            input_ids = input_ids.masked_fill(hidden, self.mask_id)
        return self.model(input_ids, **rest)
