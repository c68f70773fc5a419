"""The figures of a trained FastBERT that its run record keeps, and their summary over seeds."""

from pathlib import Path

import numpy as np
from datasets import Dataset

from course_lib.measures.records import read_record
from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pruning import every_other, prune
from course_lib.paths import RUNS

SPEEDUPS = (2, 4, 7)
SPEEDS = [round(number / 20, 2) for number in range(21)]


def fastbert_metrics(validation: ExitTrace, test: ExitTrace, rows: Dataset) -> dict:
    """Accuracy exit by exit, the trade-off, and what given savings cost.

    Speeds are chosen on `validation` and measured on `test`. `rows` is the test split; where it has a
    column `steps` (the worlds), accuracy and exit layer are also given for each number of steps.
    """
    curve = test.sweep(np.array(SPEEDS))
    metrics = {
        "teacher_accuracy": float(test.accuracy_by_layer[-1]),
        "accuracy_by_layer": test.accuracy_by_layer.tolist(),
        "validation_accuracy_by_layer": validation.accuracy_by_layer.tolist(),
        "tradeoff": {"speed": SPEEDS} | {name: values.tolist() for name, values in curve.items()},
        "at_speedup": {str(target): _at(test, speed_for(validation, target)) for target in SPEEDUPS},
        "at_budget": {str(loss): _at(test, validation.budget(loss)) for loss in (0.0, 0.002, 0.01)},
    }
    if "steps" in rows.column_names:
        metrics["by_steps"] = by_steps(test, np.array(rows["steps"]), validation.budget(0.01))
    return metrics


def speeds_at(validation: ExitTrace) -> dict[str, float]:
    """Target speed-up -> the speed that saves so much on the validation split."""
    return {str(target): speed_for(validation, target) for target in SPEEDUPS}


def cut_metrics(model: FastBertForSequenceClassification, tokenizer, rows: Dataset) -> dict:
    """What is left when "every other" layer goes, without training after the cut, by layers kept.

    Kept are all, 3/4, 1/2, 1/4 and 1/6 of the layers; of a shallow network (6 or fewer) every number.
    The exit of the last layer kept answers. Where `rows` has a column `steps`, for each number of steps.
    """
    total = model.config.num_hidden_layers
    found = {}
    shares = {total * share // 12 for share in (12, 9, 6, 3, 2)}
    for keep in sorted(set(range(1, total + 1)) if total <= 6 else shares, reverse=True):
        smaller = prune(model, every_other(total, keep))
        trace = ExitTrace.of(smaller, tokenizer, rows)
        right = trace.probabilities[-1].argmax(-1) == trace.labels  # [N]
        found[str(keep)] = {"accuracy": float(right.mean()), "parameters": smaller.num_parameters()}
        if "steps" in rows.column_names:
            steps = np.array(rows["steps"])
            found[str(keep)]["accuracy_by_steps"] = {
                str(number): float(right[steps == number].mean()) for number in sorted(set(steps.tolist()))
            }
    return found


def speed_for(trace: ExitTrace, speedup: float) -> float:
    """The lowest speed at which `trace` costs `speedup` times fewer FLOPs (1 if none does)."""
    speeds = np.linspace(0, 1, 1001)
    enough = trace.sweep(speeds)["flops_speedup"] >= speedup
    return float(speeds[enough.argmax()]) if enough.any() else 1.0


def seed_records(name: str, runs: Path = RUNS) -> list[dict]:
    """The run records of the seeds that a recipe lists, by seed.

    A seed that somebody trained besides (`--seed 7`) is left out: its recipe, which the record holds, does
    not list it.

    Raises:
        FileNotFoundError: there is none.
    """
    found = [read_record(path.stem, runs) for path in sorted(runs.glob(f"{name}-seed*.json"))]
    listed = [record for record in found if _is_listed(record)]
    return listed or [read_record(f"{name}-seed1", runs)]


def _is_listed(record: dict) -> bool:
    seeds = record.get("recipe", {}).get("seeds")
    return seeds is None or record["seed"] in seeds


def accuracy_by_seed(name: str, runs: Path = RUNS) -> np.ndarray:
    """[S, L]: every seed's accuracy, exit by exit, on the test split."""
    return np.array([record["metrics"]["accuracy_by_layer"] for record in seed_records(name, runs)])


def held_out_loss(backbone: str, runs: Path = RUNS) -> float:
    """What a backbone's pre-training came down to on texts it never saw (nats a token)."""
    return read_record(backbone, runs)["phases"][-1]["held_out_loss"]


def summary(name: str, runs: Path = RUNS) -> dict:
    """What a FastBERT recipe reached: [mean, standard deviation] over its seeds, on the test split."""
    metrics = [record["metrics"] for record in seed_records(name, runs)]

    def over_seeds(pick) -> list[float]:
        return list(mean_and_deviation([pick(each) for each in metrics]))

    def choices(kind: str) -> dict:
        keys = ("speed", "accuracy", "loss", "mean_layer", "flops_speedup")
        return {
            target: {key: over_seeds(lambda each, t=target, k=key: each[kind][t][k]) for key in keys}
            for target in metrics[0][kind]
            if all(target in each[kind] for each in metrics)  # what all records hold
        }

    layers = range(len(metrics[0]["accuracy_by_layer"]))
    result = {
        "seeds": len(metrics),
        "accuracy_by_layer": [over_seeds(lambda each, n=n: each["accuracy_by_layer"][n]) for n in layers],
        "at_speedup": choices("at_speedup"),
        "at_budget": choices("at_budget"),
    }
    if "by_steps" in metrics[0]:
        result["by_steps"] = {
            steps: {
                key: over_seeds(lambda each, s=steps, k=key: each["by_steps"][s][k])
                for key in ("accuracy", "mean_layer")
            }
            | {
                key: over_seeds(lambda each, s=steps, n=n: each["by_steps"][s]["accuracy_by_layer"][n])
                for key, n in (("first_exit", 0), ("teacher", -1))
            }
            for steps in metrics[0]["by_steps"]
        }
    return result


def mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1) over seeds; the deviation of a single value is NaN."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _at(trace: ExitTrace, speed: float) -> dict:
    exits = trace.at(speed)
    return {
        "speed": speed,
        "accuracy": exits.accuracy,
        "loss": float(trace.accuracy_by_layer[-1] - exits.accuracy),
        "mean_layer": exits.mean_layer,
        "flops_speedup": exits.flops_speedup,
    }


def by_steps(trace: ExitTrace, steps: np.ndarray, speed: float) -> dict:
    """Of each number of steps [N]: accuracy by exit; accuracy and mean exit layer at `speed`."""
    exits = trace.at(speed)
    correct = trace.probabilities.argmax(-1) == trace.labels  # [L, N]
    return {
        str(number): {
            "speed": speed,
            "accuracy_by_layer": correct[:, steps == number].mean(1).tolist(),
            "accuracy": float((exits.predictions == trace.labels)[steps == number].mean()),
            "mean_layer": float(exits.exit_layer[steps == number].mean()),
        }
        for number in sorted(set(steps.tolist()))
    }
