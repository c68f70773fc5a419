"""Low-rank adapters (LoRA, Hu et al. 2021): a task in a few megabytes beside a backbone that stays as it is.

A matrix W [out, in] becomes W + B A * (alpha / rank), with A [rank, in] and B [out, rank]: only A and B are
trained. `merge` adds them to W, so that nothing is slower afterwards. The adapters are those of `peft`.
"""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from course_lib.models.fastbert import FastBertForSequenceClassification

ADAPTERS = "adapter_model.safetensors"
SETTINGS = "adapter_config.json"
EXITS = "exits.safetensors"
MATRICES = ["query", "key", "value", "dense"]  # all six of a layer; exits are trained in full


def add_adapters(model: FastBertForSequenceClassification, rank: int, backbone: str) -> None:
    """Freezes the encoder and puts adapters of this rank beside all of its matrices.

    Raises:
        ValueError: the rank is below 1.
    """
    if rank < 1:
        raise ValueError(f"lora_rank must be at least 1, not {rank}")
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=MATRICES)
    with _without_future_warnings():
        model.bert = get_peft_model(model.bert, settings)
    settings.base_model_name_or_path = backbone  # peft has put there where the weights lay, if anywhere


def save_adapters(model: FastBertForSequenceClassification, folder: Path) -> None:
    """Rounds the adapters to float16, as they are shipped, and writes them with their settings."""
    for name, weight in model.bert.named_parameters():
        if "lora_" in name:
            weight.data = weight.data.half().float()
    shutil.rmtree(folder, ignore_errors=True)
    model.bert.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # peft's empty form
    half = {name: weight.half() for name, weight in load_file(folder / ADAPTERS).items()}
    save_file(half, folder / ADAPTERS, metadata={"format": "pt"})


def merge(model: FastBertForSequenceClassification) -> None:
    """Adds the adapters to the encoder's matrices; the model is a plain FastBERT again."""
    model.bert = model.bert.merge_and_unload()


def load_adapters(model: FastBertForSequenceClassification, folder: Path) -> None:
    """Merges the adapters in `folder` into a backbone's encoder, and loads the exits beside them."""
    with _without_future_warnings():
        model.bert = PeftModel.from_pretrained(model.bert, folder)
    merge(model)
    exits = {name: weight.float() for name, weight in load_file(folder / EXITS).items()}
    model.exits.load_state_dict(exits)


def round_exits(model: FastBertForSequenceClassification) -> None:
    """Rounds the exits to float16, as they are shipped: what is measured then is what is loaded later."""
    for weight in model.exits.parameters():
        weight.data = weight.data.half().float()


def save_exits(model: FastBertForSequenceClassification, folder: Path) -> None:
    """Writes the exits in float16 (see `round_exits`)."""
    half = {name: weight.half() for name, weight in model.exits.state_dict().items()}
    save_file(half, folder / EXITS, metadata={"format": "pt"})


def backbone_of(folder: Path) -> str | None:
    """The backbone that the adapters in `folder` belong to; None where there are none."""
    if not (folder / SETTINGS).is_file():
        return None
    return LoraConfig.from_pretrained(folder).base_model_name_or_path


def count_trained(model: torch.nn.Module) -> int:
    """How many weights are trained."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


@contextmanager
def _without_future_warnings() -> Iterator[None]:
    """peft asks transformers for an attribute under its old name; a reader can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield
