"""The BERT under the exits: what is missing or does not fit is one sentence; texts are cut where it ends."""

import json

import pytest
from tiny import tiny_corpus, tiny_fastbert_folder, tiny_tokenizer
from transformers import BertConfig

from course_lib.models.backbones import find_model, limit_length
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


@pytest.mark.parametrize(
    ("knows", "positions", "max_tokens", "limit"),
    [
        (10**30, 24, None, 24),  # as a tokenizer of the hub that does not know
        (10**30, 24, 12, 12),
        (10, 24, 12, 10),
        (100, 24, 48, 24),
    ],
)
def test_texts_are_cut_where_the_positions_end(knows, positions, max_tokens, limit):
    tokenizer = tiny_tokenizer(tiny_corpus())
    tokenizer.model_max_length = knows
    config = BertConfig(max_position_embeddings=positions)
    if max_tokens is not None:
        config.max_tokens = max_tokens
    limit_length(tokenizer, config)
    assert len(tokenizer("好" * 100, truncation=True)["input_ids"]) == limit
