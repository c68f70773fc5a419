"""The commands: right answers, JSON that parses, help that teaches, and no traceback on bad input."""

import inspect
import json
import re
import shlex

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, Features, Value
from rich.console import Console
from typer.testing import CliRunner

from course_lib.command import app as cli
from course_lib.command import report
from course_lib.command.app import app
from course_lib.command.common import in_order_of
from course_lib.measures.trace import ExitTrace
from course_lib.models.exit_rule import MEASURES
from course_lib.paths import RUNS

SENTENCE = "房间很干净，但是服务太差"


def course(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_predict_shows_exit_and_every_layer():
    result = course("predict", SENTENCE, "--speed", "0.5")
    assert result.exit_code == 0, result.output
    assert result.output.count("leaves here") == 1
    full = json.loads(course("predict", SENTENCE, "--speed", "0.5", "--json").stdout)
    assert len(full["layers"]) == 12 and 1 <= full["exit_layer"] <= 12
    leaving = full["layers"][full["exit_layer"] - 1]
    assert leaving["label"] == full["label"]
    assert leaving["probability"] == pytest.approx(full["probability"], abs=1e-5)
    assert leaving["uncertainty"] < 0.5 or full["exit_layer"] == 12
    assert all(layer["uncertainty"] >= 0.5 for layer in full["layers"][: full["exit_layer"] - 1])


def test_predict_takes_one_speed_for_each_student():
    speeds = ",".join(["0"] * 5 + ["1"] * 6)
    found = json.loads(course("predict", SENTENCE, "--speed", speeds, "--json").stdout)
    assert found["exit_layer"] == 6


def test_predict_speed_0_uses_all_layers():
    assert json.loads(course("predict", SENTENCE, "--speed", "0", "--json").stdout)["exit_layer"] == 12


@pytest.mark.parametrize("measure", MEASURES)
def test_predict_with_every_measure(measure):
    arguments = ("predict", SENTENCE, "--speed", "0.3", "--measure", measure, "--json")
    found = json.loads(course(*arguments).stdout)
    first = [
        layer["layer"] for layer in found["layers"] if layer["uncertainty"] < 0.3 or layer["layer"] == 12
    ][0]
    assert found["measure"] == measure and found["exit_layer"] == first


def own_file(path, negative: str, positive: str, rows: int = 60):
    lines = [
        f"{'很好' * (number + 1)},{positive}\n{'太差' * (number + 1)},{negative}" for number in range(rows)
    ]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return path


def test_evaluate_on_worlds_and_your_own_file(tmp_path):
    worlds = json.loads(course("evaluate", "--model", "worlds-fastbert", "--data", "worlds", "--json").stdout)
    assert worlds["accuracy_by_layer"][-1] > 0.9
    assert sum(worlds["histogram"]) == worlds["sentences"]
    mine = own_file(tmp_path / "mine.csv", "negative", "positive")
    numbers = own_file(tmp_path / "numbers.csv", "0", "1")
    named, numbered = (
        json.loads(course("evaluate", "--data", each, "--json").stdout) for each in (mine, numbers)
    )
    assert named["accuracy"] == numbered["accuracy"] > 0.8


def test_evaluate_by_another_measure(tmp_path):
    mine = own_file(tmp_path / "mine.csv", "negative", "positive")
    found = [
        json.loads(
            course("evaluate", "--data", mine, "--speed", "0.1", "--measure", measure, "--json").stdout
        )
        for measure in ("entropy", "max_probability")
    ]
    assert found[0]["mean_layer"] > found[1]["mean_layer"], (
        "1 - max is below entropy: sentences leave earlier"
    )


def test_evaluate_matches_labels_by_their_names(tmp_path):
    """The classes of a file are in the order of the alphabet, the model's are not."""
    rows = Dataset.from_dict(
        {"text": ["一", "二", "三"], "label": [0, 1, 2]},
        Features(text=Value("string"), label=ClassLabel(names=["a", "b", "c"])),
    )
    matched = in_order_of(["c", "a", "b"], rows, "model", "data")
    assert list(matched["label"]) == [1, 2, 0] and matched.features["label"].names == ["c", "a", "b"]
    with pytest.raises(ValueError, match="model knows the classes a, b, but data has a, b, c"):
        in_order_of(["a", "b"], rows, "model", "data")
    texts = [str(number) for number in range(11)]  # a file's classes would be 0, 1, 10, 2, …
    rows = Dataset.from_dict({"text": texts, "label": texts}).class_encode_column("label")
    matched = in_order_of([f"class {number}" for number in range(11)], rows, "model", "data")
    assert list(matched["label"]) == list(range(11))


def test_evaluate_refuses_labels_of_other_names(tmp_path):
    result = course("evaluate", "--data", own_file(tmp_path / "mine.csv", "差评", "好评"))
    assert result.exit_code == 2
    assert "negative, positive" in result.output and "好评, 差评" in result.output


def test_the_message_about_a_missing_trace_names_a_command_that_makes_it(tmp_path):
    path = tmp_path / "mine.safetensors"
    with pytest.raises(FileNotFoundError) as raised:
        ExitTrace.load(path)
    own_file(tmp_path / "mine.csv", "negative", "positive")
    command = re.search("`course (.*)`", str(raised.value))[1]
    for placeholder, value in {
        "MODEL": "reviews-fastbert",
        "DATA": tmp_path / "mine.csv",
        "SPLIT": "test",
    }.items():
        command = command.replace(placeholder, str(value))
    result = course(*shlex.split(command))
    assert result.exit_code == 0, result.output
    assert len(ExitTrace.load(path).labels) > 0


def test_an_unknown_key_of_a_recipe_is_one_sentence(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'stage = "fastbert"\ndata = "reviews"\nbackbone = "reviews-backbone"\nseeds = [1]\n'
        "[finetune]\nstep = 2\n"
    )
    result = course("train", tmp_path / "mine.toml", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "error:" in result.output and "[finetune]" in result.output and "'step'" in result.output


def test_brackets_in_a_message_are_no_markup(tmp_path):
    result = course("train", tmp_path / "[test].toml")
    assert result.exit_code == 2 and "[test].toml" in result.output


def test_bench_exits(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    result = course(
        "bench",
        "exits",
        "--model",
        "worlds-fastbert",
        "--data",
        "worlds",
        "--batches",
        "8",
        "--rounds",
        "3",
        "--threads",
        "1",
        "--json",
    )
    found = json.loads(result.stdout)
    assert asked == [1] and [each["way"] for each in found] == ["batch", "pool"]
    for each in found:
        assert each["batch_size"] == 8 and each["full_ms"] > 0 and each["adaptive_ms"] > 0
        assert each["ratio"] == pytest.approx(each["measured_speedup"] / each["flops_speedup"])


def test_bench_layerdrop():
    result = course("bench", "layerdrop", "--rates", "0,0.5", "--layers", "2", "--steps", "1", "--json")
    full, half = json.loads(result.stdout)
    assert (full["layer_part"], full["whole_step"], full["expected"]) == (1, 1, 1)
    assert half["expected"] == 0.5 and half["layer_part"] > 0 and half["whole_step"] > 0
    ran = 14 * half["ran"]  # 7 steps of 2 layers; at least one runs in each
    assert 7 <= round(ran) < 14 and ran == pytest.approx(round(ran))


def test_bench_depth():
    options = ["--model", "worlds-fastbert", "--data", "worlds", "--keep", "3", "--sentences", "16"]
    whole, half = json.loads(course("bench", "depth", *options, "--rounds", "3", "--json").stdout)
    assert (whole["keep"], half["keep"]) == (6, 3) and whole["speedup"] == 1
    assert half["parameters"] < whole["parameters"] and half["milliseconds"] > 0
    assert 1.5 < half["promised"] < 2.1  # the exit at the end does not shrink


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", SENTENCE, "--speed", "1.5"], "[0, 1]"),
        (["predict", SENTENCE, "--speed", "nan"], "[0, 1]"),
        (["predict", SENTENCE, "--speed", "fast"], "not 'fast'"),
        (["predict", SENTENCE, "--speed", "0.1,0.2"], "11 student exits"),
        (["predict", "  "], "empty"),
        (["predict", SENTENCE, "--model", "none"], "the course ships"),
        (["predict", SENTENCE, "--model", "reviews-backbone"], "without trained exits"),
        (["evaluate", "--split", "best"], "train, validation, test"),
        (["evaluate", "--data", "none.csv"], "no file at none.csv"),
        (["evaluate", "--data", "worlds"], "knows the classes negative, positive, but worlds has"),
        (["train", "none"], "no recipe 'none'"),
        (["bench", "exits", "--batches", "some"], "batch sizes"),
        (["bench", "exits", "--batches", "1,abc,32"], "not '1,abc,32'"),
        (["bench", "exits", "--batches", "8,0"], "not '8,0'"),
        (["bench", "depth", "--keep", "half"], "numbers of layers"),
        (["bench", "depth", "--keep", "13"], "between 1 and 12 can be kept, not 13"),
        (["bench", "layerdrop", "--rates", "0,1"], "[0, 1)"),
        (["bench", "layerdrop", "--rates", "half"], "numbers"),
        (["bench", "layerdrop", "--unit", "neuron"], "unit must be one of"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message):
    result = course(*arguments)
    assert result.exit_code == 2
    assert "error:" in result.output and message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("predict", ["threshold", "leaves", "entropy"]),
        ("evaluate", ["FLOPs", "threshold", "names"]),
        ("train", ["interrupted", "--backbone", "Examples"]),
        ("report", ["deviation", "validation", "tuned"]),
        ("bench exits", ["clock", "FLOPs"]),
        ("bench depth", ["whole", "FLOPs"]),
        ("bench layerdrop", ["optimizer", "sublayer"]),
        ("build", ["exercises", "notebooks/source"]),
        ("doctor", ["OK", "FAIL", "mends"]),
        ("reproduce", ["long", "records"]),
    ],
)
def test_help_teaches(command, words):
    result = course(*command.split(), "--help")
    assert result.exit_code == 0
    assert [word for word in words if word not in result.output] == []


def test_report_is_mean_and_deviation_of_the_run_records(monkeypatch):
    monkeypatch.setattr(report, "console", Console(width=120))
    found = json.loads(course("report", "worlds-fastbert", "--json").stdout)
    records = [json.loads(path.read_text()) for path in RUNS.glob("worlds-fastbert-seed*.json")]
    teachers = [record["metrics"]["accuracy_by_layer"][-1] for record in records]
    assert found["seeds"] == len(records) == 3
    assert found["accuracy_by_layer"][-1] == pytest.approx([np.mean(teachers), np.std(teachers, ddof=1)])
    printed = course("report", "worlds-fastbert").output
    assert f"{100 * np.mean(teachers):.2f} ±" in printed
    for target, values in found["at_speedup"].items():  # chosen on validation: on test it is another figure
        row = next(line for line in printed.splitlines() if f"aimed at {target}x" in line)
        assert f"{values['flops_speedup'][0]:.2f}" in row


def test_the_commands_that_the_module_says_can_print_json_can():
    without = {"backbone", "build", "corpus", "explorer", "reproduce", "slides"}
    commands = [*app.registered_commands, *cli.benches.registered_commands]
    for command in commands:
        name = command.name or command.callback.__name__
        assert ("as_json" in inspect.signature(command.callback).parameters) == (name not in without), name
    assert all(name in cli.__doc__ for name in without)


def test_report_of_a_pruning_study():
    found = json.loads(course("report", "pruning-layerdrop", "--json").stdout)
    records = [json.loads(path.read_text())["metrics"] for path in RUNS.glob("pruning-layerdrop-seed*.json")]
    half = next(cut for cut in found["cuts"] if (cut["way"], cut["keep"]) == ("every_other", 6))
    shares = [each["cut"]["every_other"]["6"]["accuracy"] for each in records]
    assert half["mean"] == pytest.approx(np.mean(shares))
    assert found["masked_loss"]["6"] == records[0]["masked_loss"]["6"]
    printed = course("report", "pruning-layerdrop").output
    assert f"{100 * np.mean(shares):.2f}" in printed and "nan" not in printed


def test_reproduce_says_how_long_and_asks():
    result = CliRunner().invoke(app, ["reproduce"], input="n\n")
    assert result.exit_code == 0
    assert "reviews-backbone" in result.output and "hours in all" in result.output


@pytest.mark.parametrize(
    ("recorded", "row", "total"),
    [
        ((60.0, True), "60 minutes", "\n2.0 hours in all"),
        ((60.0, False), "about 60 minutes", "\nabout 2.0 hours in all"),
        (None, "no record yet", "\nat least 1.0 hours in all"),
    ],
)
def test_reproduce_says_what_it_only_guesses(monkeypatch, recorded, row, total):
    names = {"reviews-backbone": (60.0, True), "reviews-fastbert": recorded}
    monkeypatch.setattr("course_lib.training.run.reproduce_order", lambda: list(names))
    monkeypatch.setattr("course_lib.training.run.recorded_minutes", lambda recipe: names[recipe["name"]])
    printed = CliRunner().invoke(app, ["reproduce"], input="n\n").output
    assert f" {row} " in printed and total in printed


def test_train_on_tiny_recipe_from_the_command_line(tmp_path):
    """A recipe of one's own, from a backbone of the course, into a folder of one's own."""
    lines = "\n".join(f"第{number}条很好,1\n第{number}条太差,0" for number in range(40))
    (tmp_path / "mine.csv").write_text(f"text,label\n{lines}\n", encoding="utf-8")
    (tmp_path / "mine.toml").write_text(
        'stage = "fastbert"\ndata = "reviews"\nbackbone = "reviews-backbone"\nseeds = [1]\n'
        "[model]\nexit_hidden_size = 8\n[finetune]\nsteps = 2\nlearning_rate = 1e-4\ntokens_per_batch = 256\n"
        "[distil]\nsteps = 2\nlearning_rate = 1e-3\ntokens_per_batch = 256\n"
    )
    result = course(
        "train", tmp_path / "mine.toml", "--data", tmp_path / "mine.csv", "--out", tmp_path / "out", "--json"
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "checkpoints" / "mine-mine" / "model.safetensors").is_file()
    assert (tmp_path / "out" / "runs" / "mine-mine-seed1.json").is_file()
