"""Checkpoints of FastBERT (the whole network, or what was trained beside a backbone that is shipped once) and
of decoders."""

import copy
import json
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from course_lib.models.adapters import ADAPTERS, SETTINGS, backbone_of, load_adapters, round_exits, save_exits
from course_lib.models.backbones import find_model, load_tokenizer, load_weights, quiet
from course_lib.models.decoder import ExitDecoderForCausalLM
from course_lib.models.fastbert import FastBertConfig, FastBertForSequenceClassification
from course_lib.models.folders import checked, write_checksums


def save_checkpoint(folder: Path, model, tokenizer, dtype: torch.dtype | None = None) -> None:
    """Writes weights (safetensors, in `dtype` if given), config, tokenizer and checksums into `folder`.

    The config names the model's own precision, so that whoever loads the folder can go on training: half
    precision is for the disk only.
    """
    saved = model if dtype is None else copy.deepcopy(model).to(dtype)
    saved.save_pretrained(folder)
    saved.config.dtype = model.dtype
    saved.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_checksums(folder)


def save_beside_backbone(folder: Path, model: FastBertForSequenceClassification, adapters: Path) -> None:
    """Writes config, adapters, exits and checksums: a few megabytes. Backbone and tokenizer are not copied.

    Args:
        adapters: the folder that `save_adapters` wrote, before they were merged into `model`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    for name in (ADAPTERS, SETTINGS):
        shutil.copyfile(adapters / name, folder / name)
    round_exits(model)
    save_exits(model, folder)
    write_checksums(folder)


def load_fastbert(
    name_or_folder: Path | str = "reviews-fastbert",
) -> tuple[FastBertForSequenceClassification, PreTrainedTokenizerFast]:
    """A trained FastBERT in evaluation mode and float32, with its tokenizer.

    Raises:
        FileNotFoundError, ValueError: as `checked`, `load_weights` and `load_tokenizer`; ValueError also
            where the folder holds another model.
    """
    folder = checked(name_or_folder)
    kind = json.loads((folder / "config.json").read_text()).get("model_type")
    if kind != "fastbert":
        raise ValueError(
            f"{folder.name} holds a {kind!r} model without trained exits; train them: "
            f"course train reviews-fastbert --backbone {name_or_folder} (they get a name of their own)"
        )
    source = folder
    if backbone := backbone_of(folder):
        source = Path(find_model(backbone))
        config = FastBertConfig.from_pretrained(folder)
        model = load_weights(FastBertForSequenceClassification, source, config=config)
        load_adapters(model, folder)
    else:
        model = load_weights(FastBertForSequenceClassification, folder)
    return model.eval(), load_tokenizer(source, model.config)


def load_decoder(
    name_or_folder: Path | str = "poems-decoder",
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A decoder in evaluation mode and float32, with its tokenizer: one of the course, or any GPT-like model.

    A GPT-2 becomes an `ExitDecoderForCausalLM` whose exits are untrained; others stay what they are.

    Raises:
        FileNotFoundError, ValueError: as `find_model`, `load_weights` and `load_tokenizer`; ValueError also
            where transformers knows no causal language model for what the folder holds.
    """
    source = find_model(str(name_or_folder))
    if AutoConfig.from_pretrained(source).model_type in ("exit-decoder", "gpt2"):
        model = load_weights(ExitDecoderForCausalLM, source)
    else:
        with quiet():
            model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    return model.eval(), load_tokenizer(source, model.config)
