"""Checkpoints: a Hugging Face folder and the checksums of its files, so that damage is noticed."""

import copy
import hashlib
import json
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from course_lib.fastbert import FastBertForSequenceClassification
from course_lib.paths import CHECKPOINTS

MANIFEST = "checksums.json"


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
        FileNotFoundError, ValueError: as `checked`; ValueError also where the folder holds another model.
    """
    folder = checked(name_or_folder)
    kind = json.loads((folder / "config.json").read_text()).get("model_type")
    if kind != "fastbert":
        raise ValueError(
            f"{folder.name} holds a {kind!r} model without trained exits; train them: "
            f"course train reviews-fastbert --backbone {name_or_folder} (they get a name of their own)"
        )
    model = FastBertForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def checked(folder: Path | str) -> Path:
    """The folder, once every file in it has the bytes that were saved.

    A bare name stands for a checkpoint that the course ships. A folder without checksums (somebody
    else's) passes.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: a file is missing or damaged; the message names it and the remedy.
    """
    path = Path(folder)
    if not path.is_dir():
        path = CHECKPOINTS / str(folder)
    if not path.is_dir():
        shipped = ", ".join(sorted(found.name for found in CHECKPOINTS.glob("*/")))
        raise FileNotFoundError(f"no checkpoint {str(folder)!r}; the course ships: {shipped}")
    if (path / MANIFEST).is_file():
        expected, found = json.loads((path / MANIFEST).read_text()), _checksums(path)
        for name, checksum in expected.items():
            if found.get(name) != checksum:
                state = "damaged" if name in found else "missing"
                raise ValueError(
                    f"{path / name} is {state}; mend it with `git checkout -- {path}`, or train it again "
                    f"with `make reproduce`"
                )
    return path


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != MANIFEST)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
