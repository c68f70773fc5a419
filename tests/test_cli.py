"""The commands: right answers, JSON that parses, help that teaches, and no traceback on bad input."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from course_lib.cli import app
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


def test_evaluate_on_worlds_and_your_own_file(tmp_path):
    worlds = json.loads(course("evaluate", "--model", "worlds-fastbert", "--data", "worlds", "--json").stdout)
    assert worlds["accuracy_by_layer"][-1] > 0.9
    assert sum(worlds["histogram"]) == worlds["sentences"]
    lines = "\n".join(
        f"{'很好' * (number + 1)},positive\n{'太差' * (number + 1)},negative" for number in range(60)
    )
    (tmp_path / "mine.csv").write_text(f"text,label\n{lines}\n", encoding="utf-8")
    result = course("evaluate", "--data", tmp_path / "mine.csv", "--save", tmp_path / "t.safetensors")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "t.safetensors").is_file()


def test_bench_exits():
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
        "--json",
    )
    found = json.loads(result.stdout)
    assert [each["way"] for each in found] == ["batch", "pool"]
    for each in found:
        assert each["batch_size"] == 8 and each["full_ms"] > 0 and each["adaptive_ms"] > 0
        assert each["ratio"] == pytest.approx(each["measured_speedup"] / each["flops_speedup"])


def test_bench_layerdrop():
    result = course("bench", "layerdrop", "--rates", "0,0.5", "--layers", "2", "--steps", "1", "--json")
    full, half = json.loads(result.stdout)
    assert (full["layer_part"], full["whole_step"], full["expected"]) == (1, 1, 1)
    assert half["expected"] == 0.5 and half["layer_part"] > 0 and half["whole_step"] > 0


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
        (["evaluate", "--data", "worlds"], "knows 2 classes"),
        (["train", "none"], "no recipe 'none'"),
        (["bench", "exits", "--batches", "some"], "batch sizes"),
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
    "command",
    [
        "predict",
        "evaluate",
        "train",
        "report",
        "bench exits",
        "bench layerdrop",
        "build",
        "doctor",
        "reproduce",
    ],
)
def test_help_teaches(command):
    result = course(*command.split(), "--help")
    assert result.exit_code == 0 and len(result.output) > 200


def test_report_is_mean_and_deviation_of_the_run_records():
    found = json.loads(course("report", "worlds-fastbert", "--json").stdout)
    records = [json.loads(path.read_text()) for path in RUNS.glob("worlds-fastbert-seed*.json")]
    teachers = [record["metrics"]["accuracy_by_layer"][-1] for record in records]
    assert found["seeds"] == len(records) == 3
    assert found["accuracy_by_layer"][-1] == pytest.approx([np.mean(teachers), np.std(teachers, ddof=1)])
    printed = course("report", "worlds-fastbert").output
    assert f"{100 * np.mean(teachers):.2f} ±" in printed


def test_reproduce_says_how_long_and_asks():
    result = CliRunner().invoke(app, ["reproduce"], input="n\n")
    assert result.exit_code == 0
    assert "reviews-backbone" in result.output and "hours in all" in result.output


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
    assert (tmp_path / "out" / "checkpoints" / "mine" / "model.safetensors").is_file()
    assert (tmp_path / "out" / "runs" / "mine-seed1.json").is_file()
