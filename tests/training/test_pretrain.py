"""Pre-training from end to end, tiny: what it begins with, and how it goes on after an interruption."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file
from tiny_recipes import CONTINUED, PRETRAIN, folders
from typer.testing import CliRunner

from course_lib.command.app import app
from course_lib.measures.records import read_record
from course_lib.models.layerdrop import LayerDrop
from course_lib.training import pretrain
from course_lib.training.run import run_recipe


def test_json_of_a_pretraining_is_all_that_it_prints(small):
    (small / "backbone.toml").write_text(PRETRAIN)
    command = ["train", str(small / "backbone.toml"), "--out", str(small), "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["recipe"]["name"] == "backbone"
    assert "phase 2: 3 layers, held-out loss" in result.stderr


def test_pretraining_goes_on_from_a_checkpoint_and_drops_layers(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    (small / "more.toml").write_text(CONTINUED.replace("START", str(small / "checkpoints" / "backbone")))
    seen = []
    draw = LayerDrop.draw
    monkeypatch.setattr(LayerDrop, "draw", lambda drop: [draw(drop), seen.append(drop.runs.tolist())])
    record = run_recipe(small / "more.toml", **folders(small))
    assert len(seen) == 4 and not all(all(runs) for runs in seen)
    assert record["phases"][0]["steps"] == 4
    start = small / "checkpoints" / "backbone"
    checksum = hashlib.sha256((start / "model.safetensors").read_bytes()).hexdigest()
    assert record["begins_with"] == {str(start): checksum}
    before = load_file(small / "checkpoints" / "backbone" / "model.safetensors")
    after = load_file(small / "checkpoints" / "more" / "model.safetensors")
    assert before.keys() == after.keys()
    weight = "bert.encoder.layer.2.output.dense.weight"
    assert not torch.equal(before[weight], after[weight])
    assert not list((small / "unfinished").glob("*")), "nothing unfinished is left"


def test_a_student_begins_with_half_of_its_teacher(small):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    text = CONTINUED.replace('start = "START"', f'teacher = "{small / "checkpoints" / "backbone"}"')
    text = text.replace("layers = 3", "layers = 2").replace("layer_drop = { rate = 0.5 }", "")
    (small / "student.toml").write_text(text)
    run_recipe(small / "student.toml", **folders(small))
    student = load_file(small / "checkpoints" / "student" / "model.safetensors")
    assert {name.split(".")[3] for name in student if ".layer." in name} == {"0", "1"}
    assert not any("teacher" in name for name in student)


def test_a_finished_phase_is_not_trained_again(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(pretrain, "save_checkpoint", lambda *_, **__: 1 / 0)  # the machine dies at the end
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    monkeypatch.setattr(pretrain, "train", lambda *_, **__: 1 / 0)  # so nothing may train now
    record = run_recipe(small / "backbone.toml", **folders(small))
    assert [phase["layers"] for phase in record["phases"]] == [1, 3]
    assert all(phase["history"] for phase in record["phases"])


def test_a_finished_phase_of_another_recipe_is_refused(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(pretrain, "save_checkpoint", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    (small / "backbone.toml").write_text(PRETRAIN.replace("steps = 6", "steps = 7"))
    with pytest.raises(ValueError, match="comes from another recipe or other data; delete it"):
        run_recipe(small / "backbone.toml", **folders(small))


@pytest.mark.parametrize("inside_a_phase", [0, 50])
def test_the_seconds_of_an_interrupted_pretraining_count(small, monkeypatch, ticking, inside_a_phase):
    (small / "backbone.toml").write_text(PRETRAIN)
    monkeypatch.setattr(pretrain, "seconds_spent", lambda folder: inside_a_phase * (folder.name == "phase2"))
    with monkeypatch.context() as patched:
        ticking(patched)
        patched.setattr(pretrain, "save_checkpoint", lambda *_, **__: 1 / 0)  # it dies 200 seconds on
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    ticking(monkeypatch)
    record = run_recipe(small / "backbone.toml", **folders(small))  # and needs 100 more
    assert record["seconds"] == 300 + inside_a_phase


def test_a_finished_phase_without_seconds_is_taken_up(small, monkeypatch, ticking):
    """Earlier versions of the course did not keep them."""
    (small / "backbone.toml").write_text(PRETRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(pretrain, "save_checkpoint", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    for note in (small / "unfinished").rglob("phase.json"):
        done = json.loads(note.read_text())
        note.write_text(json.dumps({key: done[key] for key in ("identity", "record")}))
    ticking(monkeypatch)
    assert run_recipe(small / "backbone.toml", **folders(small))["seconds"] == 100


def test_pretraining_with_another_seed_replaces_nothing(small):
    (small / "backbone.toml").write_text(PRETRAIN)
    for seed in (1, None, 5):
        run_recipe(small / "backbone.toml", seed=seed, **folders(small))
    assert sorted(path.stem for path in (small / "runs").iterdir()) == ["backbone", "backbone-seed5"]
    one, five = (
        load_file(small / "checkpoints" / name / "model.safetensors")
        for name in ("backbone", "backbone-seed5")
    )
    assert read_record("backbone-seed5", small / "runs")["recipe"]["seed"] == 5
    assert any(not torch.equal(one[name], five[name]) for name in one)


def test_an_unknown_tokenizer(small):
    with pytest.raises(ValueError, match="tokenizer kind must be one of"):
        pretrain.make_tokenizer({"kind": "words"}, pretrain.reviews()["train"])
