"""Recipes from end to end on tiny sizes: what they leave behind, and how they resume."""

import hashlib
import itertools
import json
from types import SimpleNamespace

import pytest
import torch
from course_lib.training.stages import HiddenTokens, StepByStep, find_model, reproduce_order, run_recipe
from safetensors.torch import load_file
from tiny import tiny_backbone_folder, tiny_batch, tiny_corpus, tiny_fastbert
from transformers import RobertaConfig
from typer.testing import CliRunner

from course_lib.command.app import app
from course_lib.measures.records import read_record, write_record
from course_lib.measures.trace import ExitTrace
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.layerdrop import LayerDrop
from course_lib.texts.worlds import worlds
from course_lib.training import stages
from course_lib.training.recipes import read_recipe

PRETRAIN = """
stage = "pretrain"
seed = 1
[tokenizer]
kind = "characters"
vocab_size = 300
max_length = 24
[model]
hidden_size = 16
num_attention_heads = 2
intermediate_size = 32
[[phases]]
layers = 1
steps = 6
learning_rate = 1e-3
tokens_per_batch = 64
corpora = { reviews = 1 }
[[phases]]
layers = 3
steps = 6
learning_rate = 1e-3
tokens_per_batch = 64
corpora = { reviews = 1, newspaper = 1 }
"""

TOKENIZER = PRETRAIN[PRETRAIN.index("[tokenizer]") : PRETRAIN.index("[model]")]

PRUNING = """
stage = "pruning"
data = "reviews"
backbone = "BACKBONE"
seeds = [1]
cut = [2]
tuned = []
[finetune]
epochs = 1
"""

FASTBERT = """
stage = "fastbert"
data = "reviews"
backbone = "BACKBONE"
seeds = [1, 2]
[model]
exit_hidden_size = 8
[finetune]
epochs = 2
learning_rate = 1e-3
tokens_per_batch = 128
hide_tokens = 0.1
[distil]
epochs = 1
learning_rate = 1e-3
tokens_per_batch = 128
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The reviews and the newspaper shrunk to a few made-up lines; unfinished runs stay in tmp_path."""
    corpus = tiny_corpus(80)
    monkeypatch.setattr(stages.corpora, "reviews", lambda: corpus)
    monkeypatch.setattr(stages.corpora, "newspaper", lambda: corpus["train"].select_columns("text"))
    monkeypatch.setattr(stages, "UNFINISHED", tmp_path / "unfinished")
    return tmp_path


def folders(root):
    return {name: root / name for name in ("checkpoints", "runs", "traces")}


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


def test_json_of_a_pretraining_is_all_that_it_prints(small):
    (small / "backbone.toml").write_text(PRETRAIN)
    command = ["train", str(small / "backbone.toml"), "--out", str(small), "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["recipe"]["name"] == "backbone"
    assert "phase 2: 3 layers, held-out loss" in result.stderr


def test_finetuning_changes_no_student_and_distillation_nothing_else(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    recipe = read_recipe_of(small, FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone")))
    corpus = stages.load_corpus("reviews")
    model, tokenizer = stages.new_fastbert(recipe, corpus, seed=1)

    def parts():
        return {name: value.clone() for name, value in model.state_dict().items()}

    fresh = parts()
    stages.finetune(model, tokenizer, corpus, recipe, 1, small / "a")
    tuned = parts()
    stages.self_distil(model, tokenizer, corpus, recipe, 1, small / "b")
    distilled = parts()
    for name in fresh:
        student = name.startswith(("exits.0", "exits.1"))
        assert torch.equal(fresh[name], tuned[name]) == student, name
        assert torch.equal(tuned[name], distilled[name]) != student, name


def read_recipe_of(folder, text):
    (folder / "some.toml").write_text(text)
    return read_recipe(folder / "some.toml")


CONTINUED = """
stage = "pretrain"
start = "START"
seed = 2
layer_drop = { rate = 0.5 }
[[phases]]
layers = 3
steps = 4
learning_rate = 1e-3
tokens_per_batch = 64
corpora = { reviews = 1 }
"""


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
        patched.setattr(stages, "save_checkpoint", lambda *_, **__: 1 / 0)  # the machine dies at the end
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    monkeypatch.setattr(stages, "train", lambda *_, **__: 1 / 0)  # so nothing may train now
    record = run_recipe(small / "backbone.toml", **folders(small))
    assert [phase["layers"] for phase in record["phases"]] == [1, 3]
    assert all(phase["history"] for phase in record["phases"])


def ticking(monkeypatch):
    """From here on the clock of `stages` goes on by 100 seconds whenever somebody looks at it."""
    looks = itertools.count(step=100)
    monkeypatch.setattr(stages, "time", SimpleNamespace(perf_counter=lambda: next(looks)))


@pytest.mark.parametrize("inside_a_phase", [0, 50])
def test_the_seconds_of_an_interrupted_pretraining_count(small, monkeypatch, inside_a_phase):
    (small / "backbone.toml").write_text(PRETRAIN)
    monkeypatch.setattr(stages, "seconds_spent", lambda folder: inside_a_phase * (folder.name == "phase2"))
    with monkeypatch.context() as patched:
        ticking(patched)
        patched.setattr(stages, "save_checkpoint", lambda *_, **__: 1 / 0)  # it dies 200 seconds on
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    ticking(monkeypatch)
    record = run_recipe(small / "backbone.toml", **folders(small))  # and needs 100 more
    assert record["seconds"] == 300 + inside_a_phase


def test_a_finished_phase_without_seconds_is_taken_up(small, monkeypatch):
    """Earlier versions of the course did not keep them."""
    (small / "backbone.toml").write_text(PRETRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(stages, "save_checkpoint", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    for note in (small / "unfinished").rglob("phase.json"):
        done = json.loads(note.read_text())
        note.write_text(json.dumps({key: done[key] for key in ("identity", "record")}))
    ticking(monkeypatch)
    assert run_recipe(small / "backbone.toml", **folders(small))["seconds"] == 100


def test_the_seconds_of_an_interrupted_fastbert_count(small, monkeypatch):
    tiny_backbone_folder(small / "backbone")
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "backbone")))
    monkeypatch.setattr(stages, "seconds_spent", lambda folder: 7 if folder.name == "distil" else 0)
    with monkeypatch.context() as patched:
        ticking(patched)
        patched.setattr(stages, "self_distil", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "fast.toml", seed=1, **folders(small))
    note = small / "unfinished" / "fast-seed1" / "finetuned.json"
    assert json.loads(note.read_text())["seconds"] == 100
    ticking(monkeypatch)
    record = run_recipe(small / "fast.toml", seed=1, **folders(small))
    assert record["seconds"] == 100 + 7 + 200  # fine-tuned; half distilled; this process looks twice more


def test_minutes_of_a_recipe_by_its_records(tmp_path):
    recipe = {"name": "some", "seeds": [1, 2, 3]}
    assert stages.recorded_minutes(recipe, tmp_path) is None
    for seed, seconds in ((1, 600), (3, 1200)):
        write_record(f"some-seed{seed}", {"seconds": seconds}, tmp_path)
    assert stages.recorded_minutes(recipe, tmp_path) == (45, False)
    assert stages.recorded_minutes(recipe | {"seeds": [1, 3]}, tmp_path) == (30, True)
    write_record("lone", {"seconds": 0}, tmp_path)
    assert stages.recorded_minutes({"name": "lone"}, tmp_path) == (0, True)


def test_a_finished_phase_of_another_recipe_is_refused(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(stages, "save_checkpoint", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "backbone.toml", **folders(small))
    (small / "backbone.toml").write_text(PRETRAIN.replace("steps = 6", "steps = 7"))
    with pytest.raises(ValueError, match="comes from another recipe or other data; delete it"):
        run_recipe(small / "backbone.toml", **folders(small))


def test_an_interrupted_distillation_does_not_finetune_again(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone")))
    whole = run_recipe(small / "fast.toml", seed=1, **folders(small))
    with monkeypatch.context() as patched:
        patched.setattr(stages, "self_distil", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(small / "fast.toml", seed=1, **folders(small))
    monkeypatch.setattr(stages, "finetune", lambda *_: 1 / 0)
    again = run_recipe(small / "fast.toml", seed=1, **folders(small))
    assert again["metrics"] == whole["metrics"] and len(again["history"]["finetune"]) > 0


def test_a_run_on_other_weights_is_not_taken_up(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    recipe = read_recipe_of(small, FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone")))
    before = stages.identity(recipe, "data")
    assert stages.identity(recipe, "data") == before != stages.identity(recipe, "other data")
    (small / "backbone.toml").write_text(PRETRAIN.replace("seed = 1", "seed = 2"))
    run_recipe(small / "backbone.toml", **folders(small))
    assert stages.identity(recipe, "data") != before


def test_reproduce_goes_on_where_it_was(small, monkeypatch):
    trained = []

    def train(name, seed):
        if len(trained) == 1:
            trained.append("broken off")
            raise KeyboardInterrupt
        trained.append((name, seed))

    monkeypatch.setattr(stages, "reproduce_order", lambda: ["reviews-tfidf", "reviews-fastbert"])
    monkeypatch.setattr(stages, "run_recipe", train)
    with pytest.raises(KeyboardInterrupt):
        stages.reproduce()
    stages.reproduce()
    expected = [("reviews-tfidf", None), *(("reviews-fastbert", seed) for seed in (1, 2, 3))]
    assert [each for each in trained if each != "broken off"] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FASTBERT.replace("epochs = 2", "epoch = 2"), "no 'epoch'; did you mean 'epochs'"),
        (FASTBERT.replace("[distil]", "[model2]"), "no 'model2'; did you mean 'model'"),
        (FASTBERT.split("[distil]")[0], "needs 'distil'"),
        ("layer_dropp = { rate = 0.5 }" + PRETRAIN, "no 'layer_dropp'; did you mean 'layer_drop'"),
        ("layer_drop = { rat = 0.5 }" + PRETRAIN, r"\[layer_drop\] has no 'rat'; did you mean 'rate'"),
        ("layer_drop = { profile = 'linear' }" + PRETRAIN, r"\[layer_drop\] needs 'rate'"),
        ("layer_drop = { rate = 'half' }" + PRETRAIN, r"\[layer_drop\]: rate must be a number, not 'half'"),
        ("layer_drop = 0.2" + PRETRAIN, "layer_drop must be a table, not 0.2"),
        (PRETRAIN.replace("seed = ", "keep = "), "'keep'; known: layer_drop, model,"),
        (PRETRAIN.replace(TOKENIZER, ""), "without a start or a teacher, a recipe needs"),
        (PRUNING.replace("epochs = 1", "layer_drop = { rate = 0.2 }"), r"\[finetune\] has no 'layer_drop'"),
        ("layer_drop = { rate = 1.5 }" + PRETRAIN, r"must lie in \[0, 1\), not 1.5"),
        (
            FASTBERT.replace("hide_tokens = 0.1", "layer_drop.unit = 'x'\nlayer_drop.rate = 0"),
            "unit must be one of",
        ),
        (PRETRAIN.replace("layers = 1", "layer = 1"), "no 'layer'; did you mean 'layers'"),
        ('data = "reviews"', "stage must be one of .* not None"),
    ],
)
def test_a_recipe_with_a_slip_is_refused(small, text, message):
    with pytest.raises(ValueError, match=message):
        read_recipe_of(small, text)


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("reviews-start", {"backbone": "x"}, "takes no --backbone"),
        ("reviews-tfidf", {"seed": 2}, "takes no --seed"),
        ("worlds-unaided", {"data": "reviews", "seed": 1}, "other data need a backbone"),
    ],
)
def test_options_without_a_meaning_are_refused(small, recipe, options, message):
    with pytest.raises(ValueError, match=message):
        run_recipe(recipe, **options, **folders(small))


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


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("bert-base-chinese", "bert-base-chinese"),
        ("org/bert-v1.5", "org-bert-v1.5"),
        ("org/bert-v1.6", "org-bert-v1.6"),
        ("other/bert-v1.5", "other-bert-v1.5"),
        ("my.csv", "my"),
        ("texts/my.v2.JSONL", "texts-my.v2"),
        ("../texts/我的 评论.csv", "texts-我的-评论"),
        ("/home/somebody/my.parquet", "my"),
        ("/home/somebody/bert-v1.5/", "bert-v1.5"),
    ],
)
def test_what_a_backbone_or_data_set_adds_to_a_name(given, part):
    assert stages.name_part(given) == part


def test_a_dot_in_a_name_cuts_nothing_off(small):
    tiny_backbone_folder(small / "bert-v1.5")
    (small / "fast.toml").write_text(FASTBERT)
    run_recipe(small / "fast.toml", seed=1, backbone=str(small / "bert-v1.5"), **folders(small))
    assert load_fastbert(small / "checkpoints" / "fast-bert-v1.5")
    assert read_record("fast-bert-v1.5-seed1", small / "runs")["recipe"]["name"] == "fast-bert-v1.5"
    assert (small / "traces" / "fast-bert-v1.5-test.safetensors").is_file()


def test_a_seed_besides_the_recipes_own_keeps_no_checkpoint(small):
    tiny_backbone_folder(small / "backbone")
    (small / "fast.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "backbone")))
    run_recipe(small / "fast.toml", seed=2, **folders(small))
    assert not (small / "checkpoints" / "fast").exists() and (small / "runs" / "fast-seed2.json").is_file()


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


def test_hidden_tokens_only_in_training():
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, input_ids):
            seen.append(input_ids)

    ids = torch.full((50, 20), 7)
    hidden = HiddenTokens(Spy(), mask_id=4, share=0.2)
    hidden.train()(input_ids=ids)
    hidden.eval()(input_ids=ids)
    assert (seen[0] == 4).float().mean().item() == pytest.approx(0.19, abs=0.04)
    assert (seen[0][:, 0] == 7).all(), "[CLS] is never hidden"
    assert torch.equal(seen[1], ids)
    with pytest.raises(ValueError, match=r"hide_tokens must lie in \[0, 1\)"):
        HiddenTokens(Spy(), 4, 1.0)


WORLDS = """
stage = "fastbert"
data = "worlds"
seeds = [1]
[model]
num_hidden_layers = 3
hidden_size = 16
num_attention_heads = 2
intermediate_size = 32
exit_hidden_size = 8
[finetune]
step_by_step = true
steps = 2
learning_rate = 1e-3
tokens_per_batch = 124
[distil]
steps = 2
learning_rate = 1e-3
tokens_per_batch = 124
"""


def test_worlds_from_scratch(small, monkeypatch):
    """Without a backbone in the recipe the network starts from nothing, with the worlds' tokenizer."""
    monkeypatch.setattr(stages, "worlds", lambda: worlds(num_train=40, num_validation=16, num_test=16))
    (small / "tiny-worlds.toml").write_text(WORLDS)
    record = run_recipe(small / "tiny-worlds.toml", **folders(small))
    assert set(record["metrics"]["by_steps"]) == {"1", "2", "3", "4"}
    model, tokenizer = load_fastbert(small / "checkpoints" / "tiny-worlds")
    assert model.config.num_hidden_layers == 3 and model.config.num_labels == 8
    assert not any("heads" in name for name in model.state_dict()), "the questions' heads are thrown away"
    assert tokenizer("小明传给小红")["input_ids"].count(tokenizer.unk_token_id) == 0


@pytest.mark.parametrize(
    ("rate", "asked"),
    [(0.0, [(0, 0), (1, 1), (2, 2), (3, 2)]), (0.5, [(1, 0), (3, 1)])],  # (layer, passes), from the first
)
def test_step_by_step_asks_each_layer_that_runs_for_one_more_pass(rate, asked):
    """The loss is the mean of the teacher's and of the layers' own questions, here worked out one by one."""
    model = tiny_fastbert(4, num_labels=8, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    drop = LayerDrop(rate).attach(model.set_stage("finetune"))
    drop.draw = lambda: setattr(drop, "runs", torch.tensor([rate == 0, True, rate == 0, True]))
    module = StepByStep(model.train(), 2, drop)
    ids, mask = tiny_batch([6, 6])
    labels, holders = torch.tensor([3, 5]), torch.tensor([[1, 2, 3], [7, 6, 5]])
    states = model.layer_states(ids, mask, None)
    expected = [torch.nn.functional.cross_entropy(model(ids, mask).logits, labels)]
    for head, (layer, passes) in enumerate(asked):
        answers = module.heads[head](states[layer][0][:, 0])
        expected.append(torch.nn.functional.cross_entropy(answers, holders[:, passes]))
    torch.testing.assert_close(module(ids, mask, labels, holders), torch.stack(expected).mean())


def test_step_by_step_counts_whole_layers_only():
    model = tiny_fastbert(num_hidden_layers=2, num_labels=8)
    with pytest.raises(ValueError, match="whole layers, not with unit = 'head'"):
        StepByStep(model, 2, LayerDrop(0.2, "head").attach(model))


def test_reproduce_trains_a_backbone_before_what_stands_on_it():
    order = reproduce_order()
    assert order.index("reviews-backbone") < order.index("reviews-fastbert")


def test_a_checkpoint_that_is_not_shipped_names_its_recipe(monkeypatch, small):
    monkeypatch.setattr("course_lib.models.checkpoints.CHECKPOINTS", small)
    with pytest.raises(FileNotFoundError, match="not shipped: `course train reviews-start` makes it"):
        find_model("reviews-start")


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


def test_a_corpus_is_a_file_or_else_of_the_hub_or_in_its_layout(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(stages.corpora, "from_files", lambda name: asked.append(("file", name)))
    monkeypatch.setattr(stages.corpora, "from_hub", lambda name: asked.append(("hub", name)))
    (tmp_path / "mine.txt").touch()
    file, folder = str(tmp_path / "mine.txt"), str(tmp_path)
    for name in ("none.csv", "none.JSONL", file, folder, "someone/reviews-v1.0", "someone/reviews"):
        stages.load_corpus(name)
    kinds = ["file", "file", "file", "hub", "hub", "hub"]
    assert [kind for kind, _ in asked] == kinds and asked[2:4] == [("file", file), ("hub", folder)]


def test_a_file_that_is_missing_is_not_looked_for_on_the_hub():
    with pytest.raises(FileNotFoundError, match="no file at none.CSV"):
        stages.load_corpus("none.CSV")


def test_unknown_recipe_stage_and_tokenizer(small):
    with pytest.raises(FileNotFoundError, match="no recipe 'nothing'; there are: .*reviews-backbone"):
        run_recipe("nothing")
    (small / "odd.toml").write_text('stage = "guess"\n')
    with pytest.raises(ValueError, match="stage must be .* not 'guess'"):
        run_recipe(small / "odd.toml")
    with pytest.raises(ValueError, match="tokenizer kind must be one of"):
        stages.make_tokenizer({"kind": "words"}, stages.corpora.reviews()["train"])
