"""Checkpoints: a Hugging Face folder and the checksums of its files, so that damage is noticed."""

import copy
import hashlib
import json
import subprocess
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.paths import CHECKPOINTS, RECIPES, ROOT

MANIFEST = "checksums.json"
CHECKED = ("config.json", "model.safetensors", "tokenizer.json")  # what no list of checksums may leave out


def save_checkpoint(folder: Path, model, tokenizer, dtype: torch.dtype | None = None) -> None:
    """Writes weights (safetensors, in `dtype` if given), config, tokenizer and checksums into `folder`."""
    saved = model if dtype is None else copy.deepcopy(model).to(dtype)
    saved.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / MANIFEST).write_text(json.dumps(_checksums(folder), indent=1) + "\n")


def load_fastbert(
    name_or_folder: Path | str = "reviews-fastbert",
) -> tuple[FastBertForSequenceClassification, PreTrainedTokenizerFast]:
    """A trained FastBERT in evaluation mode and float32, with its tokenizer.

    Raises:
        FileNotFoundError, ValueError: as `checked` and `load_weights`; ValueError also where the folder
            holds another model.
    """
    folder = checked(name_or_folder)
    kind = json.loads((folder / "config.json").read_text()).get("model_type")
    if kind != "fastbert":
        raise ValueError(
            f"{folder.name} holds a {kind!r} model without trained exits; train them: "
            f"course train reviews-fastbert --backbone {name_or_folder} (they get a name of their own)"
        )
    model = load_weights(FastBertForSequenceClassification, folder)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def load_weights(
    model_class: type[PreTrainedModel], folder_or_hub_name: Path | str, **config
) -> PreTrainedModel:
    """`model_class.from_pretrained` in float32; `config` changes the configuration found there.

    Raises:
        ValueError: the weights cannot be read, or do not fit the configuration; the message says which do
            not, and what to do.
    """
    try:
        return model_class.from_pretrained(folder_or_hub_name, dtype=torch.float32, **config)
    except SafetensorError as error:
        raise ValueError(
            f"the weights in {folder_or_hub_name} cannot be read ({error}); get them anew"
        ) from None
    except RuntimeError:
        _, found = model_class.from_pretrained(
            folder_or_hub_name, ignore_mismatched_sizes=True, output_loading_info=True, **config
        )
        if not found["mismatched_keys"]:
            raise
        name, has, wanted = min(found["mismatched_keys"])
        raise ValueError(
            f"the weights in {folder_or_hub_name} do not fit: {name} is {list(has)}, but {list(wanted)} is "
            "wanted; take other weights, or mend the sizes (in a recipe's [model], or in config.json)"
        ) from None


def checked(folder: Path | str) -> Path:
    """The folder, once every file in it has the bytes that were saved.

    A bare name stands for a checkpoint that the course ships. A folder without checksums (somebody
    else's) passes.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: a file is missing or damaged, or the checksums are; the message names it and the remedy.
    """
    path = Path(folder)
    if not path.is_dir():
        path = CHECKPOINTS / str(folder)
    if not path.is_dir():
        shipped = ", ".join(sorted(found.name for found in CHECKPOINTS.glob("*/")))
        raise FileNotFoundError(f"no checkpoint {str(folder)!r}; the course ships: {shipped}")
    if (path / MANIFEST).is_file():
        expected, found = _manifest(path), _checksums(path)
        for name, checksum in expected.items():
            if found.get(name) != checksum:
                state = "damaged" if name in found else "missing"
                raise ValueError(f"{path / name} is {state}; to mend it: {remedy(path)}")
        for name in CHECKED:
            if name in found and name not in expected:
                raise ValueError(f"{path / MANIFEST} does not name {name}; to mend it: {remedy(path)}")
    return path


def remedy(folder: Path) -> str:
    """The command that brings a damaged checkpoint back, as far as there is one.

    Args:
        folder: the checkpoint's; relative to the course's folder, or absolute.
    """
    if _in_git(folder):
        return f"git checkout -- {folder}"
    if (ROOT / folder).parent == CHECKPOINTS and (RECIPES / f"{folder.name}.toml").is_file():
        return f"course train {folder.name}"
    return "get the folder anew"


def _in_git(folder: Path) -> bool:
    try:
        asked = subprocess.run(["git", "ls-files", "--", folder], cwd=ROOT, capture_output=True)
    except OSError:  # there is no git
        return False
    return asked.returncode == 0 and asked.stdout != b""


def _manifest(folder: Path) -> dict[str, str]:
    """File name -> SHA-256, as the checkpoint's own list says."""
    try:
        found = json.loads((folder / MANIFEST).read_text())
    except ValueError:  # cut off, or no text at all
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"{folder / MANIFEST} is damaged; to mend it: {remedy(folder)}")
    return found


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != MANIFEST)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
