"""The BERT under the exits: where it lies, its weights, its tokenizer, and whether they fit together."""

from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import (
    AutoTokenizer,
    BertModel,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

from course_lib.models.folders import checked
from course_lib.models.packed import PACKED, unpack
from course_lib.paths import RECIPES

VOCABULARY_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")  # one of them holds the tokens


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


def load_weights(
    model_class: type[PreTrainedModel], folder_or_hub_name: Path | str, **changes
) -> PreTrainedModel:
    """`model_class.from_pretrained` in float32; `changes` go to the configuration found there, or are a
    whole `config`.

    Packed weights (see `packed.py`) are unpacked. Heads that the checkpoint does not have start untrained.

    Raises:
        ValueError: the weights cannot be read, do not fit the configuration, or lack a part of the encoder;
            the message says which, and what to do.
    """
    source = {"pretrained_model_name_or_path": folder_or_hub_name, **changes}
    packed = Path(folder_or_hub_name) / PACKED
    try:
        if packed.is_file():
            source = {
                "pretrained_model_name_or_path": None,
                "config": changes.get("config")
                or model_class.config_class.from_pretrained(folder_or_hub_name, **changes),
                "state_dict": unpack(packed),
            }
        with quiet():
            model, found = model_class.from_pretrained(
                dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True, **source
            )
    except SafetensorError as error:
        raise ValueError(
            f"the weights in {folder_or_hub_name} cannot be read ({error}); get them anew"
        ) from None
    if found["mismatched_keys"]:
        name, has, wanted = min(found["mismatched_keys"])
        raise ValueError(
            f"the weights in {folder_or_hub_name} do not fit: {name} is {list(has)}, but {list(wanted)} is "
            "wanted; take other weights, or mend the sizes (in a recipe's [model], or in config.json)"
        )
    inside = f"{model_class.base_model_prefix}."
    missing = [name for name in found["missing_keys"] if name.startswith(inside)]
    lacking = sorted(name for name in missing if "pooler" not in name)  # FastBERT has no pooler
    if lacking:
        there = f"; there is {min(found['unexpected_keys'])}" if found["unexpected_keys"] else ""
        raise ValueError(
            f"the weights in {folder_or_hub_name} lack {len(lacking)} of the encoder's, {lacking[0]} among "
            f"them{there}. Names must begin with {inside!r} or with nothing: rename them, or save the model "
            "again without what wraps it"
        )
    return model


def load_encoder(name: str) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """A backbone without any head, in evaluation mode and float32, and its tokenizer.

    Raises:
        FileNotFoundError, ValueError: as `find_model`, `load_weights` and `load_tokenizer`.
    """
    folder = find_model(name)
    encoder = load_weights(BertModel, folder).eval()
    encoder.pooler = None  # it belongs to next-sentence prediction, which nothing here asks for
    return encoder, load_tokenizer(folder, encoder.config)


@contextmanager
def quiet():
    """Without transformers' progress bar, and its list of heads that are not in the checkpoint: of exits that
    is nothing new."""
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def load_tokenizer(folder_or_hub_name: Path | str, config: PreTrainedConfig) -> PreTrainedTokenizerFast:
    """The tokenizer of a model: it pads on the right, and cuts texts where the model's positions end.

    Raises:
        ValueError: there is no tokenizer, or one without a vocabulary, or with more tokens than the model has
            embeddings.
    """
    folder = Path(folder_or_hub_name)
    if folder.is_dir() and not any(any(folder.glob(name)) for name in VOCABULARY_FILES):
        raise ValueError(
            f"{folder_or_hub_name} holds weights without a tokenizer: put the tokenizer's files beside them "
            "(tokenizer.save_pretrained(FOLDER) writes them)"
        )
    tokenizer = AutoTokenizer.from_pretrained(folder_or_hub_name)
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):  # transformers makes one of nothing
        raise ValueError(f"the tokenizer of {folder_or_hub_name} has no vocabulary; get its files anew")
    if len(tokenizer) > config.vocab_size:
        raise ValueError(
            f"the tokenizer of {folder_or_hub_name} has {len(tokenizer)} tokens, but the model embeddings "
            f"for {config.vocab_size}: they do not belong together, or tokens were added after the model was "
            "saved"
        )
    tokenizer.padding_side = "right"  # FastBERT reads the answer off the first token
    limit_length(tokenizer, config)
    return tokenizer


def limit_length(tokenizer: PreTrainedTokenizerFast, config: PreTrainedConfig) -> None:
    """Texts are cut where the config says or the positions end; many tokenizers of the hub do not know."""
    limits = (tokenizer.model_max_length, config.max_position_embeddings, getattr(config, "max_tokens", None))
    tokenizer.model_max_length = min(filter(None, limits))
