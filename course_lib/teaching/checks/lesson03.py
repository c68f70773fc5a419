"""The exercises of lesson 03: uncertainty, the exit rule, speeds within a budget."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from course_lib.measures.comparison import early_exit, one_speed
from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import FastBertConfig
from course_lib.teaching.checks.compare import (
    Wrong,
    as_number,
    compare,
    equal,
    report,
    try_call,
    wrong_line,
)
from course_lib.words import t


def check_uncertainty(function: Callable[[list[float]], float]) -> bool:
    """Exercise: normalised entropy of a list of probabilities (equation 7)."""

    def entropy(p: list[float]) -> float:
        return -sum(x * math.log(x) for x in p if x > 0)

    cases = [([0.5, 0.5],), ([0.9, 0.1],), ([1.0, 0.0],), ([0.25] * 4,), ([0.7, 0.2, 0.1],)]
    mistakes: dict[str, Wrong] = {
        "log_zero": lambda p: math.nan if 0 in p else _reference_uncertainty(p),
        "not_normalised": entropy,
        "sign": lambda p: -_reference_uncertainty(p),
        "log_base": lambda p: entropy(p) / math.log(2) / math.log(len(p)),
        "max_probability": lambda p: 1 - max(p),
    }
    return compare(function, _reference_uncertainty, cases, mistakes, raises={ValueError: "log_zero"})


def check_exit_layer(function: Callable[[list[float], float], int]) -> bool:
    """Exercise: the layer at which a sentence leaves, from its uncertainties [L] and the speed."""

    def first(doubts, limit, below=lambda doubt, limit: doubt < limit, fallback=None):
        found = [depth for depth, doubt in enumerate(doubts, 1) if below(doubt, limit)]
        return found[0] if found else fallback

    cases = [
        ([0.9, 0.6, 0.2, 0.1], 0.5),
        ([0.3, 0.8, 0.1, 0.1], 0.5),
        ([0.9, 0.5, 0.4, 0.3], 0.5),
        ([0.9, 0.8, 0.7, 0.6], 0.5),
        ([0.9, 0.8, 0.7, 0.6], 0.0),
        ([0.9, 0.8, 0.7], 1.0),
    ]
    mistakes: dict[str, Wrong] = {
        "zero_based": lambda doubts, limit: _reference_exit_layer(doubts, limit) - 1,
        "last_layer": first,
        "not_strict": lambda doubts, limit: first(doubts, limit, lambda a, b: a <= b, len(doubts)),
        "direction": lambda doubts, limit: first(doubts, limit, lambda a, b: a > b, len(doubts)),
        "last_certain": lambda doubts, limit: max(
            [depth for depth, doubt in enumerate(doubts, 1) if doubt < limit], default=len(doubts)
        ),
    }
    return compare(function, _reference_exit_layer, cases, mistakes)


def check_budget(function: Callable[[ExitTrace, Sequence[float], float], float]) -> bool:
    """Exercise: of the speeds given, the one that saves most FLOPs and loses at most `max_loss`."""
    speeds = [round(number / 10, 1) for number in range(11)]
    for seed, max_loss in ((0, 0.0), (1, 0.01), (2, 0.05), (3, 1.0)):
        shown = f"choose_speed(trace, speeds, {max_loss})"
        given, problem = try_call(function, (_made_up_trace(seed), list(speeds), max_loss), shown)
        if problem:
            return report(problem)
        curve = _made_up_trace(seed).sweep(np.array(speeds))  # not the one that the student has touched
        loss = curve["accuracy"][0] - curve["accuracy"]
        saving = np.where(loss <= max_loss + 1e-9, curve["flops_speedup"], 0)
        expected = speeds[int(saving.argmax())]
        candidates = [number for number, speed in enumerate(speeds) if equal(given, speed)]
        if not candidates:
            hint = "not_a_candidate"
        elif math.isclose(saving[candidates[0]], saving.max(), rel_tol=1e-6):
            continue
        elif loss[candidates[0]] > max_loss + 1e-9:
            hint = "ignores_budget"
        else:
            best = math.isclose(curve["accuracy"][candidates[0]], curve["accuracy"].max())
            hint = "most_accurate" if best else "saves_less"
        return report(wrong_line(shown, given, expected, hint))
    return report(None, cases=4)


def check_thresholds(speeds: Sequence[float], trace: ExitTrace) -> bool:
    """Exercise: one speed for each student exit, better on `trace` than one speed of the same FLOPs."""
    layers = len(trace.probabilities)
    if speeds is ... or speeds is None:
        return report(t("check.todo"))
    try:
        given = None if isinstance(speeds, str) else list(speeds)
    except TypeError:  # one number, also as an array or tensor without a dimension
        given = None
    if given is None:
        return report(t("check.thresholds_list", layers=layers, students=layers - 1, given=repr(speeds)))
    speeds = given
    if any(speed is ... for speed in speeds):
        return report(t("check.todo"))
    if len(speeds) != layers - 1:
        return report(t("check.thresholds_count", layers=layers, students=layers - 1, given=len(speeds)))
    for speed in speeds:
        number = as_number(speed)
        if number is None or not 0 <= number <= 1:
            return report(t("check.thresholds_range", given=repr(speed)))
    own = early_exit([trace], [speeds])
    rival = one_speed([trace], own.cost)
    better = own.accuracy > rival.accuracy + 1e-9
    values = {
        "accuracy": own.accuracy,
        "speedup": trace.at(speeds).flops_speedup,
        "base_accuracy": rival.accuracy,
    }
    print(t("check.thresholds_pass" if better else "check.thresholds_worse", **values))
    return better


def _reference_uncertainty(p: list[float]) -> float:
    entropy = torch.special.entr(torch.tensor(p, dtype=torch.float64)).sum()  # entr(0) = 0
    return float(entropy / math.log(len(p)))


def _reference_exit_layer(doubts: list[float], speed: float) -> int:
    certain = [depth for depth, doubt in enumerate(doubts[:-1], 1) if doubt < speed]
    return certain[0] if certain else len(doubts)


def _made_up_trace(seed: int) -> ExitTrace:
    """400 sentences, 4 exits that get better with depth, 2 classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 400)
    evidence = random.normal(0.3, 0.5, 400) + np.cumsum(random.normal(0.4, 0.8, (4, 400)), 0)  # [4, 400]
    right = 1 / (1 + np.exp(-2 * evidence))
    probabilities = np.where(labels[None, :, None] == np.arange(2), right[..., None], 1 - right[..., None])
    config = FastBertConfig(num_hidden_layers=4, hidden_size=64, intermediate_size=128, exit_hidden_size=32)
    return ExitTrace(probabilities.astype(np.float32), labels, random.integers(10, 60, 400), config)
