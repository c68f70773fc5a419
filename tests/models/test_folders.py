"""Checkpoint folders: damage is noticed, and the message tells the remedy."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tiny import tiny_fastbert_folder

from course_lib.models import folders
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.folders import checked


@pytest.fixture
def folder(tmp_path):
    return tiny_fastbert_folder(tmp_path / "tiny")


def test_one_flipped_bit_is_noticed(folder):
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ValueError, match=r"model.safetensors is damaged; to mend it: get the folder anew"):
        load_fastbert(folder)


def test_a_missing_file_is_noticed(folder):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match="tokenizer.json is missing"):
        load_fastbert(folder)


@pytest.mark.parametrize(
    ("checksums", "message"),
    [
        ('{"config.json": "75be', "checksums.json is damaged; to mend it: get the folder anew"),
        ("[]", "checksums.json is damaged; to mend it"),
        ("{}", "checksums.json does not name config.json; to mend it: get the folder anew"),
    ],
)
def test_damaged_checksums_are_noticed(folder, checksums, message):
    (folder / "checksums.json").write_text(checksums)
    with pytest.raises(ValueError, match=message):
        checked(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_checksums_that_leave_out_a_file_are_refused(folder, name):
    checksums = json.loads((folder / "checksums.json").read_text())
    del checksums[name]
    (folder / "checksums.json").write_text(json.dumps(checksums))
    with pytest.raises(ValueError, match=f"checksums.json does not name {name}"):
        checked(folder)


def test_a_copy_without_checksums_passes(folder, tmp_path):
    """A folder of somebody else has none."""
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "checksums.json").unlink()
    assert checked(tmp_path / "copy") == tmp_path / "copy"


def test_the_remedy_is_git_or_a_recipe_or_neither(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "ROOT", tmp_path)
    monkeypatch.setattr(folders, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(folders, "RECIPES", tmp_path)
    (tmp_path / "trained.toml").touch()
    shipped = tmp_path / "checkpoints" / "shipped"
    shipped.mkdir(parents=True)
    (shipped / "config.json").write_text("{}")
    assert folders.remedy(tmp_path / "checkpoints" / "trained") == "course train trained"
    assert folders.remedy(tmp_path / "elsewhere" / "trained") == "get the folder anew"
    assert folders.remedy(shipped) == "get the folder anew"
    if shutil.which("git") is None:
        pytest.skip("no git")
    for command in ("init", "add checkpoints"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True, capture_output=True)
    assert folders.remedy(shipped) == f"git checkout -- {shipped}"
    assert folders.remedy(Path("checkpoints/shipped")) == "git checkout -- checkpoints/shipped"
    assert folders.remedy(tmp_path / "checkpoints" / "trained") == "course train trained"
