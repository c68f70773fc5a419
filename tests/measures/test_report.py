"""What run records keep: speeds chosen on validation, measured on test, and their mean over seeds."""

import json
import math

import numpy as np
import pytest
from datasets import Dataset
from test_trace import random_trace
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.report import (
    cut_metrics,
    fastbert_metrics,
    mean_and_deviation,
    seed_records,
    speed_for,
    summary,
)
from course_lib.measures.trace import ExitTrace
from course_lib.models.pruning import every_other, only_layers
from course_lib.paths import RUNS


def test_metrics_of_traces():
    validation, test = random_trace(sentences=300, seed=1), random_trace(sentences=300, seed=2)
    steps = np.arange(300) % 4 + 1
    rows = Dataset.from_dict({"text": ["x"] * 300, "label": test.labels, "steps": steps})
    metrics = fastbert_metrics(validation, test, rows)
    assert metrics["accuracy_by_layer"] == pytest.approx(test.accuracy_by_layer.tolist())
    chosen = metrics["at_budget"]["0.01"]
    assert chosen["speed"] == validation.budget(0.01), "the test split takes no part in the choice"
    assert chosen["accuracy"] == test.at(chosen["speed"]).accuracy
    assert chosen["loss"] == pytest.approx(metrics["teacher_accuracy"] - chosen["accuracy"])
    for number in range(1, 5):
        own = steps == number
        by_steps = metrics["by_steps"][str(number)]
        assert by_steps["mean_layer"] == pytest.approx(test.at(by_steps["speed"]).exit_layer[own].mean())
    json.dumps(metrics)


def test_speed_for_is_the_lowest_that_saves_enough():
    trace = random_trace(sentences=300)
    speed = speed_for(trace, 2.0)
    assert trace.at(speed).flops_speedup >= 2.0 > trace.at(speed - 0.001).flops_speedup
    assert speed_for(trace, 1000.0) == 1.0


def test_mean_and_deviation():
    assert mean_and_deviation([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert math.isnan(mean_and_deviation([1.0])[1])


def test_summary_of_seeds(tmp_path):
    rows = Dataset.from_dict({"text": ["x"] * 50, "label": [0] * 50})
    for seed in (1, 2, 3):
        metrics = fastbert_metrics(random_trace(seed=seed + 5), random_trace(seed=seed), rows)
        (tmp_path / f"some-seed{seed}.json").write_text(json.dumps({"metrics": metrics}))
    found = summary("some", tmp_path)
    teachers = [random_trace(seed=seed).accuracy_by_layer[-1] for seed in (1, 2, 3)]
    assert found["seeds"] == 3
    assert found["accuracy_by_layer"][-1] == pytest.approx([np.mean(teachers), np.std(teachers, ddof=1)])
    with pytest.raises(FileNotFoundError, match="no run record"):
        summary("other", tmp_path)


def test_a_seed_that_the_recipe_does_not_list_is_left_out(tmp_path):
    for seed in (1, 2, 7):
        record = {"recipe": {"seeds": [1, 2, 3]}, "seed": seed}
        (tmp_path / f"some-seed{seed}.json").write_text(json.dumps(record))
    assert [record["seed"] for record in seed_records("some", tmp_path)] == [1, 2]
    (tmp_path / "lone-seed7.json").write_text((tmp_path / "some-seed7.json").read_text())
    with pytest.raises(FileNotFoundError, match="no run record 'lone-seed1'; there are: .*lone-seed7"):
        seed_records("lone", tmp_path)


def test_every_record_of_a_seed_in_the_course_is_found():
    names = {path.stem: path.stem.rsplit("-seed", 1)[0] for path in RUNS.glob("*-seed*.json")}
    for name in set(names.values()):
        own = sorted(stem for stem in names if names[stem] == name)
        assert [f"{name}-seed{record['seed']}" for record in seed_records(name)] == own


def test_cut_metrics_of_a_shallow_network_at_every_depth():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    rows = corpus["test"].add_column("steps", [number % 2 + 1 for number in range(len(corpus["test"]))])
    found = cut_metrics(model, tokenizer, rows)
    assert list(found) == ["4", "3", "2", "1"]
    trace = ExitTrace.of(model, tokenizer, rows)
    assert found["4"]["accuracy"] == pytest.approx(trace.accuracy_by_layer[-1])
    with only_layers(model, every_other(4, 2)):  # the exit of the last layer kept answers
        states = ExitTrace.of(model, tokenizer, rows).probabilities[every_other(4, 2)[-1] - 1]
    right = states.argmax(-1) == np.array(rows["label"])
    assert found["2"]["accuracy"] == pytest.approx(right.mean())
    assert found["2"]["accuracy_by_steps"] == {"1": right[::2].mean(), "2": right[1::2].mean()}
    deep = tiny_fastbert(num_hidden_layers=12, num_labels=2, vocab_size=len(tokenizer))
    assert list(cut_metrics(deep, tokenizer, corpus["test"])) == ["12", "9", "6", "3", "2"]
