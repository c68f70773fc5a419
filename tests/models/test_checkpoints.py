"""Checkpoints: damage is noticed and the message tells the remedy; shipped ones keep their word."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from course_lib.training.stages import load_corpus
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer
from transformers import BertConfig, BertModel

from course_lib.measures.trace import ExitTrace
from course_lib.models import checkpoints
from course_lib.models.checkpoints import checked, load_fastbert, save_checkpoint
from course_lib.paths import CHECKPOINTS, RUNS, TRACES


@pytest.fixture
def folder(tmp_path):
    tokenizer = tiny_tokenizer(tiny_corpus())
    save_checkpoint(tmp_path / "tiny", tiny_fastbert(2, vocab_size=len(tokenizer)), tokenizer)
    return tmp_path / "tiny"


def test_round_trip(folder):
    model, tokenizer = load_fastbert(folder)
    assert not model.training
    ids = tokenizer("好好坏", return_tensors="pt")["input_ids"]
    again, _ = load_fastbert(folder)
    assert torch.equal(model.layer_logits(ids), again.layer_logits(ids))


def test_half_precision_on_disk_is_float32_in_memory(tmp_path):
    tokenizer = tiny_tokenizer(tiny_corpus())
    model = tiny_fastbert(2, vocab_size=len(tokenizer))
    save_checkpoint(tmp_path / "half", model, tokenizer, dtype=torch.float16)
    loaded, _ = load_fastbert(tmp_path / "half")
    for name, value in loaded.state_dict().items():
        expected = model.state_dict()[name]
        assert value.dtype == expected.dtype
        if value.is_floating_point():
            assert torch.equal(value, expected.half().float())


def test_nothing_is_pickled(folder):
    assert {file.suffix for file in folder.iterdir()} <= {".safetensors", ".json"}


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


def test_the_remedy_is_git_or_a_recipe_or_neither(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(checkpoints, "RECIPES", tmp_path)
    (tmp_path / "trained.toml").touch()
    shipped = tmp_path / "checkpoints" / "shipped"
    shipped.mkdir(parents=True)
    (shipped / "config.json").write_text("{}")
    assert checkpoints.remedy(tmp_path / "checkpoints" / "trained") == "course train trained"
    assert checkpoints.remedy(tmp_path / "elsewhere" / "trained") == "get the folder anew"
    assert checkpoints.remedy(shipped) == "get the folder anew"
    if shutil.which("git") is None:
        pytest.skip("no git")
    for command in ("init", "add checkpoints"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True, capture_output=True)
    assert checkpoints.remedy(shipped) == f"git checkout -- {shipped}"
    assert checkpoints.remedy(Path("checkpoints/shipped")) == "git checkout -- checkpoints/shipped"
    assert checkpoints.remedy(tmp_path / "checkpoints" / "trained") == "course train trained"


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


def test_unknown_name_and_other_model(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="no checkpoint 'nothing'; the course ships: .*reviews-fastbert"
    ):
        load_fastbert("nothing")
    BertModel(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2)).save_pretrained(
        tmp_path
    )
    with pytest.raises(ValueError, match="'bert' model without trained exits"):
        load_fastbert(tmp_path)


# --- what the course ships --------------------------------------------------------------------------

SHIPPED = ["reviews-fastbert", "reviews-layerdrop-fastbert", "worlds-fastbert", "worlds-layerdrop"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_model_reproduces_its_record(name):
    """Accuracy exit by exit, from the committed weights and the installed corpus, is the recorded one."""
    record = json.loads((RUNS / f"{name}-seed1.json").read_text())
    model, tokenizer = load_fastbert(name)
    rows = load_corpus(record["recipe"]["data"])["test"]
    found = ExitTrace.of(model, tokenizer, rows)
    # Half precision on disk and another processor's rounding may tip a sentence in a thousand.
    assert found.accuracy_by_layer == pytest.approx(record["metrics"]["accuracy_by_layer"], abs=0.003)
    shipped = ExitTrace.load(TRACES / f"{name}-test.safetensors")
    assert shipped.labels.tolist() == rows["label"]
    assert abs(found.probabilities - shipped.probabilities).max() < 0.05


def test_shipped_sizes():
    backbones = ["reviews-backbone", "reviews-layerdrop"]
    for name in [*SHIPPED, *backbones]:
        megabytes = 1 if name.startswith("worlds") else 8
        size = sum(file.stat().st_size for file in checked(CHECKPOINTS / name).iterdir())
        assert size <= megabytes * 1e6, f"{name}: {size / 1e6:.1f} MB"


def test_a_copy_without_checksums_passes(folder, tmp_path):
    """A folder of somebody else has none."""
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "checksums.json").unlink()
    assert checked(tmp_path / "copy") == tmp_path / "copy"
