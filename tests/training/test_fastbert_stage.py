"""A FastBERT from a recipe, tiny: what it leaves behind, how it resumes, which backbones it takes."""

import json

import pytest
from tiny import tiny_backbone_folder
from tiny_recipes import FASTBERT, PRETRAIN, WORLDS, folders
from transformers import RobertaConfig

from course_lib.measures.trace import ExitTrace
from course_lib.models.checkpoints import load_fastbert
from course_lib.texts import corpora
from course_lib.texts.worlds import worlds
from course_lib.training import fastbert, finetune
from course_lib.training.run import run_recipe


def test_the_whole_line(small):
    """Pre-train, fine-tune, distil: each takes up what the one before left."""
    (small / "backbone.toml").write_text(PRETRAIN)
    record = run_recipe(small / "backbone.toml", **folders(small))
    assert [phase["layers"] for phase in record["phases"]] == [1, 3]
    assert all(phase["held_out_loss"] > 0 for phase in record["phases"])

    recipe = FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone"))
    (small / "fast.toml").write_text(recipe)
    run_recipe(small / "fast.toml", **folders(small))
    written = json.loads((small / "runs" / "fast-seed1.json").read_text())
    assert (small / "runs" / "fast-seed2.json").is_file()
    assert {"recipe", "seed", "data", "metrics", "history", "seconds", "machine", "versions"} <= set(written)

    model, tokenizer = load_fastbert(small / "checkpoints" / "fast")
    assert model.config.num_hidden_layers == 3 and model.config.id2label == {0: "good", 1: "bad"}
    trace = ExitTrace.load(small / "traces" / "fast-test.safetensors")
    assert written["metrics"]["accuracy_by_layer"] == pytest.approx(trace.accuracy_by_layer)
    epochs = [entry for entry in written["history"]["finetune"] if "epoch" in entry]
    assert [entry["epoch"] for entry in epochs] == [1, 2]
    assert all(0 <= entry["validation_accuracy"] <= 1 for entry in epochs)
    assert not list((small / "unfinished").glob("fast*")), "nothing unfinished is left"


def test_worlds_from_scratch(small, monkeypatch):
    """Without a backbone in the recipe the network starts from nothing, with the worlds' tokenizer."""
    few = worlds(num_train=40, num_validation=16, num_test=16)
    monkeypatch.setitem(corpora.CORPORA, "worlds", lambda: few)
    (small / "tiny-worlds.toml").write_text(WORLDS)
    record = run_recipe(small / "tiny-worlds.toml", **folders(small))
    assert set(record["metrics"]["by_steps"]) == {"1", "2", "3", "4"}
    model, tokenizer = load_fastbert(small / "checkpoints" / "tiny-worlds")
    assert model.config.num_hidden_layers == 3 and model.config.num_labels == 8
    assert not any("heads" in name for name in model.state_dict()), "the questions' heads are thrown away"
    assert tokenizer("小明传给小红")["input_ids"].count(tokenizer.unk_token_id) == 0


def test_the_seconds_of_an_interrupted_fastbert_count(small, monkeypatch, ticking):
    tiny_backbone_folder(small / "backbone")
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "backbone")))
    for module in (fastbert, finetune):
        monkeypatch.setattr(module, "seconds_spent", lambda folder: 7 if folder.name == "distil" else 0)
    with monkeypatch.context() as patched:
        ticking(patched)
        patched.setattr(fastbert, "self_distil", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "fast.toml", seed=1, **folders(small))
    note = small / "unfinished" / "fast-seed1" / "finetuned.json"
    assert json.loads(note.read_text())["seconds"] == 100
    ticking(monkeypatch)
    record = run_recipe(small / "fast.toml", seed=1, **folders(small))
    assert record["seconds"] == 100 + 7 + 200  # fine-tuned; half distilled; this process looks twice more


def test_an_interrupted_distillation_does_not_finetune_again(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone")))
    whole = run_recipe(small / "fast.toml", seed=1, **folders(small))
    with monkeypatch.context() as patched:
        patched.setattr(fastbert, "self_distil", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "fast.toml", seed=1, **folders(small))
    monkeypatch.setattr(finetune, "finetune", lambda *_: 1 / 0)
    again = run_recipe(small / "fast.toml", seed=1, **folders(small))
    assert again["metrics"] == whole["metrics"] and len(again["history"]["finetune"]) > 0


def test_another_backbone_and_your_own_texts(small):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    lines = "\n".join(f"第{number}条{'好' if number % 2 else '坏'},{number % 2}" for number in range(150))
    (small / "mine.csv").write_text(f"text,label\n{lines}\n", encoding="utf-8")
    (small / "fast.toml").write_text(FASTBERT)
    record = run_recipe(
        small / "fast.toml",
        seed=1,
        backbone=str(small / "checkpoints" / "backbone"),
        data=str(small / "mine.csv"),
        **folders(small),
    )
    assert record["recipe"]["data"].endswith("mine.csv")
    kept = small / "checkpoints" / "fast-backbone-mine"  # nothing of the course is replaced
    assert load_fastbert(kept)[0].config.id2label == {0: "0", 1: "1"}
    assert (small / "runs" / "fast-backbone-mine-seed1.json").is_file()
    (small / "checkpoints" / "fast-backbone-mine" / "model.safetensors").unlink()
    run_recipe(
        small / "fast.toml", seed=2, backbone=str(small / "checkpoints" / "backbone"), **folders(small)
    )
    assert load_fastbert(small / "checkpoints" / "fast-backbone"), "the only seed asked for, though no first"


def test_a_backbone_that_is_no_bert(small):
    RobertaConfig().save_pretrained(small / "roberta")
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "roberta")))
    with pytest.raises(ValueError, match="'roberta' model; the backbone must be a BERT"):
        run_recipe(small / "fast.toml", **folders(small))


def test_a_backbone_whose_sizes_do_not_fit_the_recipe(small):
    backbone = tiny_backbone_folder(small / "backbone")
    text = FASTBERT.replace("BACKBONE", str(backbone)).replace("[model]", "[model]\nhidden_size = 32")
    (small / "fast.toml").write_text(text)
    with pytest.raises(ValueError, match=r"weights in .*backbone do not fit: bert\..*; take other weights"):
        run_recipe(small / "fast.toml", **folders(small))


def test_a_seed_besides_the_recipes_own_keeps_no_checkpoint(small):
    tiny_backbone_folder(small / "backbone")
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "backbone")))
    run_recipe(small / "fast.toml", seed=2, **folders(small))
    assert not (small / "checkpoints" / "fast").exists() and (small / "runs" / "fast-seed2.json").is_file()
