"""The exercises of lesson 04: expected depth, a pass with LayerDrop, what a cut keeps and renames."""

import math
from collections.abc import Callable
from fractions import Fraction

from course_lib.teaching.checks.compare import Wrong, compare
from course_lib.words import t


def check_expected_depth(function: Callable[[list[float]], float]) -> bool:
    """Exercise: how many layers run on average, from every layer's drop rate."""
    cases = [([0.5, 0.5, 0.5, 0.5],), ([0.2] * 12,), ([0.0] * 3,), ([0.1, 0.2, 0.3],), ([0.9, 0.1],)]
    mistakes: dict[str, Wrong] = {
        "counts_dropped": sum,
        "share": lambda rates: 1 - sum(rates) / len(rates),
        "all_at_once": lambda rates: math.prod(1 - rate for rate in rates),
    }
    return compare(function, lambda rates: sum(1 - rate for rate in rates), cases, mistakes)


def check_pass(function: Callable[[float, list[Callable], list[bool]], float]) -> bool:
    """Exercise: a training pass through the layers that run; a dropped one is the identity."""

    def new_layers():  # each case counts its own calls
        return [
            _Layer("x + 1", lambda x: x + 1),
            _Layer("2x", lambda x: 2 * x),
            _Layer("x - 3", lambda x: x - 3),
        ]

    def rescaled(x, layers, runs):
        for layer, on in zip(layers, runs, strict=True):
            x = layer(x) * len(runs) / sum(runs) if on else x
        return x

    def zeroed(x, layers, runs):
        for layer, on in zip(layers, runs, strict=True):
            x = layer(x) if on else 0 * x
        return x

    def computes_dropped(call, x, layers, runs):
        if any(layer.calls for layer, on in zip(layers, runs, strict=True) if not on):
            return t("check.computes_dropped", call=call)

    cases = [
        (5.0, new_layers(), [bool(run) for run in runs])
        for runs in ([1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0])
    ]
    mistakes: dict[str, Wrong] = {
        "rescaled": rescaled,
        "zeroed": zeroed,
        "runs_all": lambda x, layers, runs: _reference_pass(x, layers, [True] * len(runs)),
        "turned_round": lambda x, layers, runs: _reference_pass(x, layers, [not run for run in runs]),
    }
    return compare(function, _reference_pass, cases, mistakes, beside=computes_dropped)


def check_every_other(function: Callable[[int, int], list[int]]) -> bool:
    """Exercise: the depths that the paper's "Every Other" rule keeps."""

    def rule(layers, keep, dropped=False, whole=math.floor):
        period = whole(Fraction(layers, layers - keep))
        return [depth for depth in range(1, layers + 1) if (depth % period == 0) == dropped]

    cases = [(12, 6), (12, 9), (12, 8), (16, 8), (6, 4), (24, 20)]  # 1/p is a whole number
    cases += [(12, 7), (12, 5), (12, 3)]  # it is not: 6 layers stay where 7 are wanted, or none
    mistakes: dict[str, Wrong] = {
        "keeps_dropped": lambda layers, keep: rule(layers, keep, dropped=True),
        "zero_based_depths": lambda layers, keep: [depth - 1 for depth in rule(layers, keep)],
        "first_ones": lambda layers, keep: list(range(1, keep + 1)),
        "ceiling": lambda layers, keep: rule(layers, keep, whole=math.ceil),
        "nearest": lambda layers, keep: rule(layers, keep, whole=round),
        "fills_up": lambda layers, keep: [1 + number * layers // keep for number in range(keep)],
    }
    return compare(function, rule, cases, mistakes)


def check_renaming(function: Callable[[str, list[int]], str | None]) -> bool:
    """Exercise: what a weight is called in the smaller model; None if its layer is cut away."""
    dense, query = (
        f"bert.encoder.layer.{{}}.{weight}"
        for weight in ("output.dense.weight", "attention.self.query.weight")
    )
    keep, other_keep = [1, 3, 5, 11], [2, 3, 6]
    names = [dense.format(number) for number in (0, 1, 2, 4, 10, 11)]
    names += [query.format(2), "bert.embeddings.LayerNorm.bias", "classifier.weight"]
    cases = [(name, keep) for name in names]
    cases += [(name, other_keep) for name in (query.format(5), dense.format(2), query.format(0))]

    def renamed(name, keep, first=1):
        if ".layer." not in name:
            return name
        parts = name.split(".")
        depth = int(parts[3]) + first
        return ".".join([*parts[:3], str(keep.index(depth)), *parts[4:]]) if depth in keep else None

    def one_weight(name, keep):
        new = renamed(name, keep)
        return dense.format(new.split(".")[3]) if new and ".layer." in name else new

    mistakes: dict[str, Wrong] = {
        "keeps_number": lambda name, keep: name if renamed(name, keep) else None,
        "zero_based_keep": lambda name, keep: renamed(name, keep, first=0),
        "drops_rest": lambda name, keep: renamed(name, keep) if ".layer." in name else None,
        "one_weight": one_weight,
        "another_keep": lambda name, _: renamed(name, keep),
    }
    return compare(function, renamed, cases, mistakes)


class _Layer:
    """A toy layer that says what it does when it is printed, and counts how often it is called."""

    def __init__(self, formula: str, function: Callable[[float], float]):
        self.formula, self.function, self.calls = formula, function, 0

    def __call__(self, x: float) -> float:
        self.calls += 1
        return self.function(x)

    def __repr__(self) -> str:
        return self.formula


def _reference_pass(x: float, layers: list[Callable], runs: list[bool]) -> float:
    for layer, on in zip(layers, runs, strict=True):
        x = layer(x) if on else x
    return x
