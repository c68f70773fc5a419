"""What the sliders of a deck move: everything computed before, as JSON; the page only draws.

Every value comes from a committed trace, a run record, or LayerDrop's own draw.
"""

import json
from dataclasses import dataclass

import numpy as np

from course_lib.figures.drawn_layers import draws
from course_lib.figures.trade_off import fixed_depths
from course_lib.measures.cuts import cut_table, over_seeds
from course_lib.measures.trace import load_traces
from course_lib.words import t

SPEEDS = np.linspace(0, 1, 101)
RATES = [round(0.05 * number, 2) for number in range(19)]
STEPS = 30  # training steps that are drawn
START = {"speed": 0.5, "drop_rate": 0.2}
STUDIES = ("plain", "layerdrop", "half")


@dataclass(frozen=True)
class LiveData:
    """A slider's data: its kind ("speed" or "drop_rate"), what it is computed from, and the JSON."""

    kind: str
    data: str
    json: str


def live_data(kind: str, data: str) -> LiveData:
    """The data of one slider: `live_data("speed", "reviews-e5")`, `live_data("drop_rate", "pruning")`.

    Raises:
        ValueError: an unknown kind of slider.
        FileNotFoundError: no trace or no record of that name.
    """
    makers = {"speed": _speed, "drop_rate": _drop_rate}
    if kind not in makers:
        raise ValueError(f"no slider {kind!r}; there are: {', '.join(makers)}")
    found = makers[kind](data)
    return LiveData(kind, data, json.dumps(found, ensure_ascii=False, separators=(",", ":")))


def _speed(recipe: str) -> dict:
    """By speed: where the sentences leave, and what it costs; fixed depths beside it."""
    trace = load_traces(recipe, "test")[0]
    exits = [trace.at(speed) for speed in SPEEDS]
    accuracy, speedup = fixed_depths(trace)
    teacher = trace.accuracy_by_layer[-1]
    states = [
        t(
            "slider.state",
            accuracy=each.accuracy,
            teacher=teacher,
            mean=each.mean_layer,
            layers=len(each.histogram),
            speedup=each.flops_speedup,
        )
        for each in exits
    ]
    return {
        "kind": "speed",
        "values": SPEEDS.round(2).tolist(),
        "start": START["speed"],
        "name": t("slider.speed"),
        "states": states,
        "shares": [_rounded(each.histogram / each.histogram.sum()) for each in exits],
        "mean": _rounded([each.mean_layer for each in exits]),
        "accuracy": _rounded([each.accuracy for each in exits]),
        "speedup": _rounded([each.flops_speedup for each in exits]),
        "fixed": {"accuracy": _rounded(accuracy), "speedup": _rounded(speedup)},
        "words": _words("axis.exit_layer", "axis.share", "deck.speedup", "axis.accuracy")
        | _words("deck.early", "label.fixed_depth"),
    }


def _drop_rate(study: str) -> dict:
    """By drop rate: which layers run in each step, and what networks trained so are worth when cut."""
    table = cut_table(*(f"{study}-{name}" for name in STUDIES))
    layers = int(table["keep"].max())
    means = over_seeds(table)["mean"]
    trained = {}
    for name, rate in zip(table["study"], table["rate"], strict=True):
        curve = means[name, "every_other"].sort_index()
        trained[f"{rate:.2f}"] = {"keep": [int(keep) for keep in curve.index], "accuracy": _rounded(curve)}
    runs = {rate: draws(rate, layers, STEPS) for rate in RATES}  # [S, L]
    states = [
        t(
            "drop_rate.state",
            expected=(1 - rate) * layers + rate**layers,
            layers=layers,
            drawn=runs[rate].sum(1).mean(),
            steps=STEPS,
            time=((1 - rate) * layers + rate**layers) / layers,
        )
        for rate in RATES
    ]
    return {
        "kind": "drop_rate",
        "values": RATES,
        "start": START["drop_rate"],
        "name": t("drop_rate.slider"),
        "states": states,
        "layers": layers,
        "runs": [["".join("01"[int(on)] for on in step) for step in runs[rate]] for rate in RATES],
        "trained": trained,
        "words": _words("axis.training_step", "axis.layer", "axis.layers_kept", "axis.accuracy")
        | {"untrained": t("deck.untrained"), "trained": t("deck.trained")},
    }


def _rounded(values) -> list[float]:
    return [round(float(value), 4) for value in values]


def _words(*keys: str) -> dict[str, str]:
    """By the last part of their keys."""
    return {key.rpartition(".")[2]: t(key) for key in keys}
