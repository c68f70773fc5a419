"""The BERT under the exits: a name that cannot be found, and weights that do not fit, in one sentence."""

import json

import pytest
from tiny import tiny_fastbert_folder

from course_lib.models.backbones import find_model
from course_lib.models.checkpoints import load_fastbert


@pytest.fixture
def folder(tmp_path):
    return tiny_fastbert_folder(tmp_path / "tiny")


def test_a_checkpoint_that_is_not_shipped_names_its_recipe(monkeypatch, tmp_path):
    monkeypatch.setattr("course_lib.models.folders.CHECKPOINTS", tmp_path)
    with pytest.raises(FileNotFoundError, match="not shipped: `course train reviews-start` makes it"):
        find_model("reviews-start")


def test_weights_that_cannot_be_read(folder):
    """A folder without checksums passes `checked`."""
    (folder / "checksums.json").unlink()
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match=r"the weights in .*tiny cannot be read \(.*\); get them anew"):
        load_fastbert(folder)


def test_weights_that_do_not_fit_their_config(folder):
    (folder / "checksums.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"exit_hidden_size": 4}))
    with pytest.raises(ValueError, match=r"do not fit: exits.0.* \[8\], but \[4\] is wanted; take other"):
        load_fastbert(folder)
