"""The exercises of lesson 03: right answers pass; every usual mistake fails, with the hint that names it."""

import math

import pytest
from made_up import made_up_trace
from right_answers import allowed, entropy, first_below

from course_lib.teaching import checks

pytestmark = pytest.mark.usefixtures("language")


def with_log_of_zero(p):
    return -sum(x * math.log(x) for x in p) / math.log(len(p))


@pytest.mark.parametrize("log", [math.log, math.log2])
def test_uncertainty_right_in_any_base(said, log):
    assert checks.check_uncertainty(lambda p: entropy(p, log) / log(len(p)))
    assert said("check.pass")


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
def test_uncertainty_wrong(said, wrong, hint):
    assert not checks.check_uncertainty(wrong)
    assert said(f"check.hint.{hint}")


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


def test_exit_layer_right(said):
    assert checks.check_exit_layer(first_below)
    assert said("check.pass")


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
def test_exit_layer_wrong(said, wrong, hint):
    assert not checks.check_exit_layer(wrong)
    assert said(f"check.hint.{hint}")


def test_budget_right(said):
    assert checks.check_budget(
        lambda trace, speeds, loss: max(allowed(trace, speeds, loss), key=lambda s: trace.at(s).flops_speedup)
    )
    assert said("check.pass")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda trace, speeds, loss: max(speeds), "ignores_budget"),
        (lambda trace, speeds, loss: max(speeds, key=lambda s: trace.at(s).accuracy), "most_accurate"),
        (lambda trace, speeds, loss: 0.123, "not_a_candidate"),
        (lambda trace, speeds, loss: "fast", "not_a_candidate"),
    ],
)
def test_budget_wrong(said, wrong, hint):
    assert not checks.check_budget(wrong)
    assert said(f"check.hint.{hint}")


TRACE = made_up_trace()


def test_thresholds(capsys, said):
    assert not checks.check_thresholds(..., TRACE, 0.5)
    assert said("check.todo")
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


@pytest.mark.parametrize(
    "speeds", [0.5, 10**400, True, "0.5", object()], ids=lambda each: type(each).__name__
)
def test_what_is_no_list_of_thresholds(capsys, speeds):
    assert not checks.check_thresholds(speeds, TRACE, 0.5)
    out = capsys.readouterr().out
    assert "5" in out and repr(speeds) in out and out.count("\n") == 1


@pytest.mark.parametrize("students", [3, 5])
@pytest.mark.parametrize("one", ["0.5", None, [0.5], 10**400, math.nan, 0.5j], ids=lambda each: str(each)[:8])
def test_a_list_of_what_are_no_numbers(capsys, one, students):
    """Be it as long as it should be or not."""
    assert not checks.check_thresholds([one] * students, TRACE, 0.5)
    out = capsys.readouterr().out
    assert (repr(one) in out if students == 5 else "3" in out) and out.count("\n") == 1


def _beats(speeds):
    own, base = TRACE.at(speeds), TRACE.at(0.5)
    return own.accuracy >= base.accuracy and own.flops_speedup > base.flops_speedup
