"""The one training loop: AdamW, warm-up and decay, clipping, length-bucketed batches, exact resume.

Every random number of a step (dropout, masking, dropped layers) comes from the seed and the step's
number, and the batches of an epoch from the seed and the epoch's number: so a run that was interrupted
ends with the same weights, bit for bit on a CPU.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, skip_first_batches
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import get_scheduler

from course_lib.machine import computes_bf16
from course_lib.texts.batches import LengthBuckets


@dataclass(frozen=True)
class LoopSettings:
    """What a recipe may say about the loop.

    Give the length as `steps` or as `epochs`. `tokens_per_batch` counts padded tokens, so that batches
    of short texts hold more of them. `bf16` is used only where the processor computes in it.
    `exit_learning_rate` is that of the exits beside a pre-trained backbone, which wants smaller steps.
    """

    learning_rate: float
    steps: int | None = None
    epochs: int | None = None
    tokens_per_batch: int = 2048
    warmup: float = 0.1
    schedule: str = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    bf16: bool = True
    seed: int = 0
    exit_learning_rate: float | None = None

    def __post_init__(self):
        if (self.steps is None) == (self.epochs is None):
            raise ValueError(f"give steps or epochs, and not both: {self.steps=}, {self.epochs=}")
        for name in ("learning_rate", "exit_learning_rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, not {value}")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is a share of the steps, in [0, 1], not {self.warmup}")
        for name in ("steps", "epochs", "tokens_per_batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if not self.clip > 0:
            raise ValueError(f"clip must be above 0, not {self.clip}")
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay must be at least 0, not {self.weight_decay}")


def train(
    module: torch.nn.Module,
    rows: list[dict],
    collate: Callable[[list[dict]], dict],
    settings: LoopSettings,
    resume_folder: Path | None = None,
    checkpoint_minutes: float = 5.0,
    identity: str = "",
    before_step: Callable[[int], None] | None = None,
    after_epoch: Callable[[int], dict] | None = None,
    title: str = "train",
    bar: bool = True,
) -> list[dict]:
    """Trains `module` in place on tokenised `rows` (each with `input_ids`).

    Args:
        module: `module(**collate(rows))` returns a loss, or an output with a `loss`; parameters without
            `requires_grad` stay as they are.
        resume_folder: where the unfinished state is kept; a state found there is taken up.
        identity: tells runs with the same settings apart (their data, the weights they begin with).
        before_step: called with a number that belongs to this run and step: what it seeds is drawn again
            alike after an interruption, and on every process.
        after_epoch: called with the number of epochs done; what it returns goes into the history.
        bar: show the progress, as `title`; a lesson, whose output is kept, does without.

    Returns:
        The history: one dict every fiftieth of the run, with `step`, `loss` (mean since the last one),
        `tokens_per_second`, and `after_epoch`'s entries.
    """
    # Layers that LayerDrop leaves out get no gradient; distributed training must not wait for it.
    accelerator = Accelerator(kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)])
    half = torch.autocast(accelerator.device.type, torch.bfloat16, enabled=settings.bf16 and computes_bf16())
    sampler = LengthBuckets([len(row["input_ids"]) for row in rows], settings.tokens_per_batch, settings.seed)
    loader = DataLoader(rows, batch_sampler=sampler, collate_fn=collate)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(_groups(module, settings), weight_decay=settings.weight_decay)
    wrapped, prepared_optimizer, loader = accelerator.prepare(module, optimizer, loader)

    total = settings.steps or sum(_epoch_lengths(sampler, settings.epochs, accelerator.num_processes))
    scheduler = get_scheduler(settings.schedule, optimizer, round(settings.warmup * total), total)
    state = LoopState(module, optimizer, scheduler, settings, resume_folder, identity)
    state.load()

    entry_every = max(total // 50, 1)
    losses, tokens, clock, saved = [], 0, time.perf_counter(), time.perf_counter()
    show = accelerator.is_main_process
    with tqdm(
        total=total, initial=state.step, desc=title, disable=not (show and bar), mininterval=2.0
    ) as progress:
        while state.step < total:
            sampler.set_epoch(state.epoch)
            for batch in skip_first_batches(loader, state.batch):
                number = settings.seed * 1_000_003 + state.step
                torch.manual_seed(number)
                if before_step:
                    before_step(number)
                with half:
                    output = wrapped(**batch)
                loss = getattr(output, "loss", output)
                accelerator.backward(loss)
                accelerator.clip_grad_norm_(trained, settings.clip)
                prepared_optimizer.step()
                scheduler.step()
                prepared_optimizer.zero_grad()

                state.step += 1
                state.batch += 1
                losses.append(loss.detach())
                tokens += batch["input_ids"].numel()
                progress.update()
                if state.step % entry_every == 0 or state.step == total:
                    entry = _entry(state.step, losses, tokens, time.perf_counter() - clock)
                    state.history.append(entry)
                    progress.set_postfix(loss=entry["loss"], tokens_per_s=entry["tokens_per_second"])
                    losses, tokens, clock = [], 0, time.perf_counter()
                if show and time.perf_counter() - saved > 60 * checkpoint_minutes:
                    state.save()
                    saved = time.perf_counter()
                if state.step == total:
                    break
            else:
                state.epoch, state.batch = state.epoch + 1, 0
                if after_epoch:
                    state.history.append({"epoch": state.epoch, **after_epoch(state.epoch)})
                continue
            break
    if after_epoch and state.batch == len(loader):
        state.history.append({"epoch": state.epoch + 1, **after_epoch(state.epoch + 1)})
    if show:
        state.clear()
    return state.history


class LoopState:
    """The unfinished run on disk: weights, AdamW's moments and the position, as safetensors and JSON."""

    def __init__(
        self, module, optimizer, scheduler, settings: LoopSettings, folder: Path | None, identity: str
    ):
        self.module, self.optimizer, self.scheduler = module, optimizer, scheduler
        self.run, self.folder = {"settings": asdict(settings), "identity": identity}, folder
        self.step = self.epoch = self.batch = 0
        self.history: list[dict] = []
        self.seconds, self.start = 0.0, time.perf_counter()  # spent before this process; when it began

    def save(self) -> None:
        if self.folder is None:
            return
        tensors = {f"weights.{name}": value for name, value in self.module.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                tensors[f"adamw.{number}.{name}"] = value
        position = {
            **self.run,
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "history": self.history,
            "seconds": self.seconds + time.perf_counter() - self.start,
        }
        new = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        # Tied weights share their memory; safetensors wants each tensor to own its own.
        own = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
        save_file(own, new / "state.safetensors", metadata={"position": json.dumps(position)})
        shutil.rmtree(self.folder, ignore_errors=True)
        new.rename(self.folder)

    def load(self) -> None:
        position = _position(self.folder)
        if position is None:
            return
        if {key: position.get(key) for key in self.run} != self.run:
            raise ValueError(
                f"{self.folder} holds an unfinished run of another recipe, or one on other data or weights; "
                "finish that or delete the folder"
            )
        tensors = load_file(self.folder / "state.safetensors")
        moments: dict[int, dict] = {}
        weights = {}
        for name, value in tensors.items():
            kind, rest = name.split(".", 1)
            if kind == "weights":
                weights[rest] = value
            else:
                number, moment = rest.split(".")
                moments.setdefault(int(number), {})[moment] = value
        self.module.load_state_dict(weights)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.step, self.epoch, self.batch = (position[key] for key in ("step", "epoch", "batch"))
        self.history = position["history"]
        self.seconds = position.get("seconds", 0.0)  # states of earlier versions of the course lack it
        # The scheduler has no memory but its counter.
        self.scheduler.last_epoch = self.step
        rates = zip(self.scheduler.base_lrs, self.scheduler.lr_lambdas, strict=True)
        for group, (base, schedule) in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = base * schedule(self.step)

    def clear(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def seconds_spent(resume_folder: Path) -> float:
    """How long earlier processes trained the unfinished run in `resume_folder` (0 if there is none)."""
    position = _position(resume_folder) or {}
    return position.get("seconds", 0.0)


def _position(folder: Path | None) -> dict | None:
    """What the state in `folder` says beside its tensors; None if there is no state."""
    if folder is None or not (folder / "state.safetensors").is_file():
        return None
    with safe_open(folder / "state.safetensors", framework="pt") as opened:
        return json.loads(opened.metadata()["position"])


def _groups(module: torch.nn.Module, settings: LoopSettings) -> list[dict]:
    """What AdamW trains: one group, or two where the exits have a learning rate of their own."""
    named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
    if settings.exit_learning_rate is None:
        return [{"params": [weight for _, weight in named], "lr": settings.learning_rate}]
    exits = [weight for name, weight in named if "exits" in name.split(".")]
    rest = [weight for name, weight in named if "exits" not in name.split(".")]
    return [
        {"params": rest, "lr": settings.learning_rate},
        {"params": exits, "lr": settings.exit_learning_rate},
    ]


def _epoch_lengths(sampler: LengthBuckets, epochs: int, processes: int) -> Iterator[int]:
    """Batches per process in each epoch (buckets fall a little differently in each)."""
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        yield -(-len(sampler) // processes)
    sampler.set_epoch(0)


def _entry(step: int, losses: list[torch.Tensor], tokens: int, seconds: float) -> dict:
    return {
        "step": step,
        "loss": round(torch.stack(losses).float().mean().item(), 4),
        "tokens_per_second": round(tokens / seconds),
    }
