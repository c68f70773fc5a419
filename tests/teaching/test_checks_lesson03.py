"""The exercises of lesson 03: right answers pass; every usual mistake fails, with the hint that names it."""

import math

import numpy as np
import pytest
import torch
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
BETTER = [0.6, 0.9, 0.6, 0.3, 0.8]


def test_thresholds(capsys, said):
    assert not checks.check_thresholds(..., TRACE)
    assert said("check.todo")
    assert not checks.check_thresholds([0.5] * 6, TRACE)
    assert "5" in capsys.readouterr().out
    assert not checks.check_thresholds([0.5] * 4 + [1.5], TRACE)
    assert "1.5" in capsys.readouterr().out
    assert not checks.check_thresholds([0.5] * 5, TRACE)  # one speed is no better than itself
    assert not checks.check_thresholds([0.0] * 5, TRACE)  # accurate, but at the price of one speed
    assert not checks.check_thresholds([1.0] * 5, TRACE)  # cheap, but no better than one speed


def test_thresholds_must_be_better_at_equal_flops(capsys, said):
    """Both faster and less accurate than 0.5, or slower and righter, proves nothing."""
    speeds = np.linspace(0, 1, 101)
    curve = TRACE.sweep(speeds)
    random = np.random.default_rng(0)
    for trial in random.uniform(0, 1, (20, 5)):
        own = TRACE.at(trial)
        order = np.argsort(curve["flops_speedup"])
        spent = 1 / curve["flops_speedup"][order][::-1]
        wanted = np.interp(1 / own.flops_speedup, spent, curve["accuracy"][order][::-1])
        assert checks.check_thresholds(list(trial), TRACE) == (own.accuracy > wanted + 1e-9)
        out = capsys.readouterr().out
        assert f"{own.accuracy:.2%}" in out and f"{wanted:.2%}" in out
    assert checks.check_thresholds(BETTER, TRACE)


@pytest.mark.parametrize(
    "speeds",
    [0.5, np.array(0.5), torch.tensor(0.5), 10**400, True, "0.5", object()],
    ids=lambda each: type(each).__name__,
)
def test_what_is_no_list_of_thresholds(capsys, speeds):
    assert not checks.check_thresholds(speeds, TRACE)
    out = capsys.readouterr().out
    assert "5" in out and repr(speeds) in out and out.count("\n") == 1


@pytest.mark.parametrize("students", [3, 5])
@pytest.mark.parametrize("one", ["0.5", None, [0.5], 10**400, math.nan, 0.5j], ids=lambda each: str(each)[:8])
def test_a_list_of_what_are_no_numbers(capsys, one, students):
    """Be it as long as it should be or not."""
    assert not checks.check_thresholds([one] * students, TRACE)
    out = capsys.readouterr().out
    assert (repr(one) in out if students == 5 else "3" in out) and out.count("\n") == 1
