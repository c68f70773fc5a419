"""Checkpoint folders: the checksums of their files, so that damage is noticed, and the way to mend it."""

import hashlib
import json
import subprocess
from pathlib import Path

from course_lib.paths import CHECKPOINTS, RECIPES, ROOT

MANIFEST = "checksums.json"
# What no list of checksums may leave out.
CHECKED = (
    "config.json",
    "model.safetensors",
    "model.q4.safetensors",
    "adapter_model.safetensors",
    "exits.safetensors",
    "tokenizer.json",
)


def write_checksums(folder: Path) -> None:
    """Lists every file of the folder with its SHA-256."""
    (folder / MANIFEST).write_text(json.dumps(_checksums(folder), indent=1) + "\n")


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
