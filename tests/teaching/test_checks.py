"""A right answer passes; every usual mistake fails, with the hint that names it."""

import math

import numpy as np
import pytest
from made_up import made_up_trace

from course_lib import words
from course_lib.models.pruning import every_other
from course_lib.teaching import checks


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


def said(capsys, key: str) -> bool:
    """Whether the check's line holds the catalogue's words for `key`, up to the first value in them."""
    beginning = words.catalogue()[key][words.language()].split("{")[0]
    return bool(beginning) and beginning in capsys.readouterr().out


def entropy(p, log=math.log):
    return -sum(x * log(x) for x in p if x > 0)


def with_log_of_zero(p):
    return -sum(x * math.log(x) for x in p) / math.log(len(p))


# --- uncertainty -----------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [math.log, math.log2])
def test_uncertainty_right_in_any_base(capsys, log):
    assert checks.check_uncertainty(lambda p: entropy(p, log) / log(len(p)))
    assert said(capsys, "check.pass")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (entropy, "not_normalised"),
        (lambda p: -entropy(p) / math.log(len(p)), "sign"),
        (lambda p: entropy(p, math.log2) / math.log(len(p)), "log_base"),
        (lambda p: 1 - max(p), "max_probability"),
        (lambda p: math.nan if 0 in p else entropy(p) / math.log(len(p)), "log_zero"),
        (with_log_of_zero, "log_zero"),
    ],
)
def test_uncertainty_wrong(capsys, wrong, hint):
    assert not checks.check_uncertainty(wrong)
    assert said(capsys, f"check.hint.{hint}")


# --- exit layer ------------------------------------------------------------------------------------


def first_below(doubts, speed):
    for depth, doubt in enumerate(doubts, start=1):
        if doubt < speed:
            return depth
    return len(doubts)


def without_last(doubts, speed):
    for depth, doubt in enumerate(doubts, start=1):
        if doubt < speed:
            return depth


def last_certain(doubts, speed):
    answer = len(doubts)
    for depth, doubt in enumerate(doubts, start=1):
        if doubt < speed:
            answer = depth
    return answer


def first_that(condition):
    return lambda doubts, speed: next(
        (depth for depth, doubt in enumerate(doubts, 1) if condition(doubt, speed)), len(doubts)
    )


def test_exit_layer_right(capsys):
    assert checks.check_exit_layer(first_below)
    assert said(capsys, "check.pass")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda doubts, speed: first_below(doubts, speed) - 1, "zero_based"),
        (without_last, "last_layer"),
        (first_that(lambda doubt, speed: doubt <= speed), "not_strict"),
        (first_that(lambda doubt, speed: doubt > speed), "direction"),
        (last_certain, "last_certain"),
    ],
)
def test_exit_layer_wrong(capsys, wrong, hint):
    assert not checks.check_exit_layer(wrong)
    assert said(capsys, f"check.hint.{hint}")


# --- budget ----------------------------------------------------------------------------------------


def allowed(trace, speeds, max_loss):
    return [s for s in speeds if trace.at(0.0).accuracy - trace.at(s).accuracy <= max_loss + 1e-9]


def test_budget_right(capsys):
    assert checks.check_budget(
        lambda trace, speeds, loss: max(allowed(trace, speeds, loss), key=lambda s: trace.at(s).flops_speedup)
    )
    assert said(capsys, "check.pass")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda trace, speeds, loss: max(speeds), "ignores_budget"),
        (lambda trace, speeds, loss: max(speeds, key=lambda s: trace.at(s).accuracy), "most_accurate"),
        (lambda trace, speeds, loss: 0.123, "not_a_candidate"),
        (lambda trace, speeds, loss: "fast", "not_a_candidate"),
    ],
)
def test_budget_wrong(capsys, wrong, hint):
    assert not checks.check_budget(wrong)
    assert said(capsys, f"check.hint.{hint}")


# --- thresholds ------------------------------------------------------------------------------------

TRACE = made_up_trace()


def test_thresholds(capsys):
    assert not checks.check_thresholds(..., TRACE, 0.5)
    assert said(capsys, "check.todo")
    assert not checks.check_thresholds([0.5] * 6, TRACE, 0.5)
    assert "5" in capsys.readouterr().out
    assert not checks.check_thresholds([0.5] * 4 + [1.5], TRACE, 0.5)
    assert "1.5" in capsys.readouterr().out
    assert not checks.check_thresholds([0.5] * 5, TRACE, 0.5)  # no better is not enough
    assert not checks.check_thresholds([0.0] * 5, TRACE, 0.5)  # accurate, but slower
    assert not checks.check_thresholds([1.0] * 5, TRACE, 0.5)  # fast, but less accurate
    better = next(
        trial
        for exit in range(5)
        for speed in (0.0, 0.3, 0.4, 0.6, 0.7, 1.0)
        if _beats(trial := [0.5] * exit + [speed] + [0.5] * (4 - exit))
    )
    assert checks.check_thresholds(better, TRACE, 0.5)


def _beats(speeds):
    own, base = TRACE.at(speeds), TRACE.at(0.5)
    return own.accuracy >= base.accuracy and own.flops_speedup > base.flops_speedup


# --- whatever else a student writes ----------------------------------------------------------------


def not_written(*_):
    raise NotImplementedError


@pytest.mark.parametrize("check", [checks.check_uncertainty, checks.check_exit_layer, checks.check_budget])
@pytest.mark.parametrize("answer", [not_written, ..., None, lambda *_: ...])
def test_an_unfinished_exercise_says_so(capsys, check, answer):
    assert not check(answer)
    assert said(capsys, "check.todo")


@pytest.mark.parametrize("check", [checks.check_uncertainty, checks.check_exit_layer, checks.check_budget])
def test_a_crash_is_reported_in_one_line(capsys, check):
    assert not check(lambda *_: {}["no such key"])
    out = capsys.readouterr().out
    assert "KeyError" in out and out.count("\n") == 1


def test_an_unusual_mistake_fails_without_a_hint(capsys):
    assert not checks.check_uncertainty(lambda p: 0.77)
    assert "0.77" in capsys.readouterr().out


def test_a_guess_is_compared(monkeypatch):
    shown = []
    monkeypatch.setattr(checks, "say", lambda key, **values: shown.append(words.t(key, **values)))
    checks.compare_guess(None, 12.34)
    checks.compare_guess(10, 12.34)
    assert "12.3" in shown[0] and "+2.3" in shown[1] and "10.0" in shown[1]
    for odd in ("ten", [1, 2], ...):
        checks.compare_guess(odd, 12.34)
        assert repr(odd) in shown[-1] and "12.3" in shown[-1]


def test_a_choice_is_compared(monkeypatch):
    shown = []
    monkeypatch.setattr(checks, "say", lambda key, **values: shown.append((key, values["actual"])))
    for choice in (None, "many", "few", 3):
        checks.compare_choice(choice, "many", ("few", "many"))
    keys, actual = zip(*shown, strict=True)
    assert keys == ("guess.none", "guess.right", "guess.wrong", "guess.no_choice")
    assert set(actual) == {words.t("choice.many")}


@pytest.mark.parametrize(
    "check", [checks.check_uncertainty, checks.check_exit_layer, checks.check_expected_depth]
)
def test_a_number_written_as_a_text_is_no_number(check, capsys):
    right = {
        checks.check_uncertainty: lambda p: entropy(p) / math.log(len(p)),
        checks.check_exit_layer: first_below,
        checks.check_expected_depth: lambda rates: len(rates) - sum(rates),
    }[check]
    for written in (str, repr, "{:.6f}".format):
        assert not check(lambda *given, written=written: written(right(*given)))
        assert said(capsys, "check.hint.text")


# --- lesson 04 -------------------------------------------------------------------------------------


def through(x, layers, runs):
    for layer, on in zip(layers, runs, strict=True):
        if on:
            x = layer(x)
    return x


def paper_rule(layers, keep):
    period = layers // (layers - keep)
    return [depth for depth in range(1, layers + 1) if depth % period]


def with_period(whole):
    """The rule with 1/p made whole in another way."""

    def rule(layers, keep):
        period = whole(layers / (layers - keep))
        return [depth for depth in range(1, layers + 1) if depth % period]

    return rule


def renamed(name, keep):
    parts = name.split(".")
    if ".layer." not in name:
        return name
    depth = int(parts[3]) + 1
    if depth not in keep:
        return None
    parts[3] = str(keep.index(depth))
    return ".".join(parts)


RIGHT = {
    checks.check_expected_depth: [lambda rates: len(rates) - sum(rates)],
    checks.check_pass: [through],
    checks.check_every_other: [paper_rule, lambda layers, keep: np.array(paper_rule(layers, keep))],
    checks.check_renaming: [renamed],
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_04_right(check, capsys):
    for function in RIGHT[check]:
        assert check(function)
        assert said(capsys, "check.pass")


def test_a_pass_that_computes_what_is_dropped_is_no_pass(capsys):
    def thrown_away(x, layers, runs):
        for layer, on in zip(layers, runs, strict=True):
            computed = layer(x)
            x = computed if on else x
        return x

    assert not checks.check_pass(thrown_away)
    assert said(capsys, "check.computes_dropped")
    assert not checks.check_pass(lambda x, layers, runs: 0 * thrown_away(x, layers, runs))
    assert not said(capsys, "check.computes_dropped"), "a wrong number comes first"


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_04_not_written_yet(check, capsys):
    def starter(*_):
        raise NotImplementedError

    assert not check(starter)
    assert said(capsys, "check.todo")


@pytest.mark.parametrize(
    ("check", "wrong", "hint"),
    [
        (checks.check_expected_depth, sum, "counts_dropped"),
        (checks.check_expected_depth, lambda rates: 1 - sum(rates) / len(rates), "share"),
        (checks.check_expected_depth, lambda rates: math.prod(1 - rate for rate in rates), "all_at_once"),
        (checks.check_pass, lambda x, layers, runs: through(x, layers, [1] * len(runs)), "runs_all"),
        (
            checks.check_pass,
            lambda x, layers, runs: through(x, layers, [not r for r in runs]),
            "turned_round",
        ),
        (
            checks.check_pass,
            lambda x, layers, runs: through(x, [lambda y, f=f: f(y) * 3 / sum(runs) for f in layers], runs),
            "rescaled",
        ),
        (
            checks.check_pass,
            lambda x, layers, runs: through(
                x, [f if on else (lambda _: 0.0) for f, on in zip(layers, runs, strict=True)], [1] * len(runs)
            ),
            "zeroed",
        ),
        (
            checks.check_every_other,
            lambda layers, keep: [d for d in range(1, layers + 1) if d not in paper_rule(layers, keep)],
            "keeps_dropped",
        ),
        (
            checks.check_every_other,
            lambda layers, keep: [d - 1 for d in paper_rule(layers, keep)],
            "zero_based_depths",
        ),
        (checks.check_every_other, lambda layers, keep: list(range(1, keep + 1)), "first_ones"),
        (checks.check_every_other, with_period(lambda inverse: math.ceil(inverse - 1e-9)), "ceiling"),
        (checks.check_every_other, with_period(round), "nearest"),
        (checks.check_every_other, every_other, "fills_up"),
        (checks.check_renaming, lambda name, keep: name if renamed(name, keep) else None, "keeps_number"),
        (checks.check_renaming, lambda name, keep: renamed(name, [d + 1 for d in keep]), "zero_based_keep"),
        (
            checks.check_renaming,
            lambda name, keep: renamed(name, keep) if ".layer." in name else None,
            "drops_rest",
        ),
        (
            checks.check_renaming,
            lambda name, keep: (
                (renamed(name, keep) or "").replace("attention.self.query", "output.dense") or None
            ),
            "one_weight",
        ),
        (checks.check_renaming, lambda name, keep: renamed(name, [1, 3, 5, 11]), "another_keep"),
    ],
)
def test_lesson_04_wrong(check, wrong, hint, capsys):
    assert not check(wrong)
    assert said(capsys, f"check.hint.{hint}")
