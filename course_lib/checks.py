"""Instant feedback for exercises: a student's function against the course's own, on several inputs.

A check prints one line in the lesson's language: that all is well, or the first input that goes wrong,
with a hint where the mistake is a usual one. It returns True or False and never raises for what the
student wrote.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import torch

from course_lib.trace import ExitTrace
from course_lib.words import say, t

Wrong = Callable[..., object]  # a usual mistake, written out, so that its result can be recognised


# --- predictions -----------------------------------------------------------------------------------


def compare_guess(guess: float | None, actual: float, form: str = ".1f", about: str = "") -> None:
    """Shows a stored prediction beside what was measured.

    Args:
        form: the format of both numbers.
        about: what they belong to, where there are several.
    """
    values = {"about": about + t("list.colon") if about else "", "actual": format(actual, form)}
    if guess is None:
        return say("guess.none", **values)
    try:
        guess = float(guess)
    except (TypeError, ValueError):
        return say("guess.no_number", guess=repr(guess), **values)
    difference = format(actual - guess, "+" + form)
    return say("guess.compared", guess=format(guess, form), difference=difference, **values)


def compare_choice(guess: str | None, actual: str, choices: Sequence[str]) -> None:
    """Shows a stored choice beside the right one; `choices` are words of the catalogue (choice.<word>)."""
    values = {"actual": t(f"choice.{actual}")}
    if guess is None:
        return say("guess.none", about="", **values)
    if guess not in choices:
        return say("guess.no_choice", guess=repr(guess), choices=t("list.comma").join(choices), **values)
    return say("guess.right" if guess == actual else "guess.wrong", **values)


# --- lesson 03 -------------------------------------------------------------------------------------


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
    return _compare(function, _reference_uncertainty, cases, mistakes, raises={ValueError: "log_zero"})


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
    return _compare(function, _reference_exit_layer, cases, mistakes)


def check_budget(function: Callable[[ExitTrace, Sequence[float], float], float]) -> bool:
    """Exercise: of the speeds given, the one that saves most FLOPs and loses at most `max_loss`."""
    speeds = [round(number / 10, 1) for number in range(11)]
    for seed, max_loss in ((0, 0.0), (1, 0.01), (2, 0.05), (3, 1.0)):
        trace = _made_up_trace(seed)
        call = f"choose_speed(trace, speeds, {max_loss})"
        given, problem = _call(function, (trace, speeds, max_loss), call)
        if problem:
            return _report(problem)
        curve = trace.sweep(np.array(speeds))
        loss = curve["accuracy"][0] - curve["accuracy"]
        saving = np.where(loss <= max_loss + 1e-9, curve["flops_speedup"], 0)
        expected = speeds[int(saving.argmax())]
        candidates = [number for number, speed in enumerate(speeds) if _equal(given, speed)]
        if not candidates:
            hint = "not_a_candidate"
        elif math.isclose(saving[candidates[0]], saving.max(), rel_tol=1e-6):
            continue
        elif loss[candidates[0]] > max_loss + 1e-9:
            hint = "ignores_budget"
        else:
            best = math.isclose(curve["accuracy"][candidates[0]], curve["accuracy"].max())
            hint = "most_accurate" if best else "saves_less"
        return _report(_wrong(call, given, expected, hint))
    return _report(None, cases=4)


def check_thresholds(speeds: Sequence[float], trace: ExitTrace, one_speed: float) -> bool:
    """Exercise: one speed for each student exit that beats `one_speed` for all, on `trace`."""
    layers = len(trace.probabilities)
    if speeds is ... or speeds is None:
        return _report(t("check.todo"))
    if len(speeds) != layers - 1:
        return _report(t("check.thresholds_count", layers=layers, students=layers - 1, given=len(speeds)))
    for speed in speeds:
        if speed is ...:
            return _report(t("check.todo"))
        if not 0 <= speed <= 1:
            return _report(t("check.thresholds_range", given=speed))
    own, base = trace.at(list(speeds)), trace.at(one_speed)
    values = {
        "accuracy": own.accuracy,
        "speedup": own.flops_speedup,
        "base_accuracy": base.accuracy,
        "base_speedup": base.flops_speedup,
    }
    no_worse = own.accuracy >= base.accuracy and own.flops_speedup >= base.flops_speedup - 1e-9
    better = own.accuracy > base.accuracy or own.flops_speedup > base.flops_speedup + 1e-9
    print(t("check.thresholds_pass" if no_worse and better else "check.thresholds_worse", **values))
    return no_worse and better


# --- lesson 04 -------------------------------------------------------------------------------------


def check_expected_depth(function: Callable[[list[float]], float]) -> bool:
    """Exercise: how many layers run on average, from every layer's drop rate."""
    cases = [([0.5, 0.5, 0.5, 0.5],), ([0.2] * 12,), ([0.0] * 3,), ([0.1, 0.2, 0.3],), ([0.9, 0.1],)]
    mistakes: dict[str, Wrong] = {
        "counts_dropped": sum,
        "share": lambda rates: 1 - sum(rates) / len(rates),
        "all_at_once": lambda rates: math.prod(1 - rate for rate in rates),
    }
    return _compare(function, lambda rates: sum(1 - rate for rate in rates), cases, mistakes)


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
    return _compare(function, _reference_pass, cases, mistakes, beside=computes_dropped)


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
    return _compare(function, rule, cases, mistakes)


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
    return _compare(function, renamed, cases, mistakes)


# --- shared ----------------------------------------------------------------------------------------


def _reference_uncertainty(p: list[float]) -> float:
    entropy = torch.special.entr(torch.tensor(p, dtype=torch.float64)).sum()  # entr(0) = 0
    return float(entropy / math.log(len(p)))


def _reference_exit_layer(doubts: list[float], speed: float) -> int:
    certain = [depth for depth, doubt in enumerate(doubts[:-1], 1) if doubt < speed]
    return certain[0] if certain else len(doubts)


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


def _made_up_trace(seed: int) -> ExitTrace:
    """400 sentences, 4 exits that get better with depth, 2 classes."""
    from course_lib.fastbert import FastBertConfig

    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 400)
    evidence = random.normal(0.3, 0.5, 400) + np.cumsum(random.normal(0.4, 0.8, (4, 400)), 0)  # [4, 400]
    right = 1 / (1 + np.exp(-2 * evidence))
    probabilities = np.where(labels[None, :, None] == np.arange(2), right[..., None], 1 - right[..., None])
    config = FastBertConfig(num_hidden_layers=4, hidden_size=64, intermediate_size=128, exit_hidden_size=32)
    return ExitTrace(probabilities.astype(np.float32), labels, random.integers(10, 60, 400), config)


def _compare(
    function: Callable,
    reference: Callable,
    cases: list[tuple],
    mistakes: dict[str, Wrong],
    raises: dict[type[Exception], str] | None = None,
    beside: Callable[..., str | None] = lambda call, *case: None,
) -> bool:
    """Runs all cases; after a wrong one, names the first usual mistake that explains everything seen.

    Args:
        beside: what is wrong though the result is right: called right after the function, with how that was
            called and its arguments -> the line to print, or None.
    """
    name = getattr(function, "__name__", "function")
    seen: list[tuple[tuple, object]] = []
    wrong = remark = None
    for case in cases:
        call = f"{name}({', '.join(str(value) for value in case)})"
        given, problem = _call(function, case, call, raises)
        if problem:
            return _report(problem)
        seen.append((case, given))
        remark = remark or beside(call, *case)
        if wrong is None and not _equal(given, reference(*case)):
            wrong = (call, given, reference(*case))
    if wrong is None:
        return _report(remark, cases=len(cases))
    explains = (
        hint
        for hint, mistake in mistakes.items()
        if all(_equal(given, mistake(*case)) for case, given in seen)
    )
    given, expected = wrong[1:]
    is_text = isinstance(given, str) and isinstance(expected, int | float)
    return _report(_wrong(*wrong, "text" if is_text else next(explains, "none")))


def _call(function: Callable, arguments: tuple, call: str, raises: dict | None = None):
    """-> (result, None), or (None, the line to print)."""
    if function is ... or function is None:
        return None, t("check.todo")
    try:
        result = function(*arguments)
    except NotImplementedError:
        return None, t("check.todo")
    except Exception as error:  # whatever the student's code does, the check answers in one line
        line = t("check.error", call=call, error=f"{type(error).__name__}: {error}")
        hints = [hint for kind, hint in (raises or {}).items() if isinstance(error, kind)]
        return None, " ".join([line, *(t(f"check.hint.{hint}") for hint in hints)])
    return (None, t("check.todo")) if result is ... else (result, None)


def _equal(given: object, expected: object) -> bool:
    """Equal numbers up to rounding; NaN equals NaN; lists item by item; words and None as they are."""
    if isinstance(given, bool) or given is None or expected is None:
        return given is expected
    if isinstance(expected, str):
        return isinstance(given, str) and given == expected
    if isinstance(given, str):  # float() would take "2.0"
        return False
    if isinstance(expected, list):
        return hasattr(given, "__iter__") and list(given) == expected
    try:
        given, expected = float(given), float(expected)
    except (TypeError, ValueError):
        return False
    return math.isclose(given, expected, abs_tol=1e-4) or (math.isnan(given) and math.isnan(expected))


def _wrong(call: str, given: object, expected: object, hint: str) -> str:
    shown = f"{given:.4g}" if isinstance(given, float) else str(given)
    wanted = f"{expected:.4g}" if isinstance(expected, float) else str(expected)
    return t("check.wrong", call=call, given=shown, expected=wanted, hint=t(f"check.hint.{hint}")).rstrip()


def _report(problem: str | None, cases: int = 0) -> bool:
    print(problem or t("check.pass", cases=cases))
    return problem is None
