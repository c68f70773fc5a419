"""What holds for every check: one line, whatever a student writes, and arguments that may be changed."""

import math

import pytest
from right_answers import allowed, entropy, first_below, renamed

from course_lib.teaching import checks

pytestmark = pytest.mark.usefixtures("language")


def not_written(*_):
    raise NotImplementedError


@pytest.mark.parametrize("check", [checks.check_uncertainty, checks.check_exit_layer, checks.check_budget])
@pytest.mark.parametrize("answer", [not_written, ..., None, lambda *_: ...])
def test_an_unfinished_exercise_says_so(said, check, answer):
    assert not check(answer)
    assert said("check.todo")


@pytest.mark.parametrize("check", [checks.check_uncertainty, checks.check_exit_layer, checks.check_budget])
def test_a_crash_is_reported_in_one_line(capsys, check):
    assert not check(lambda *_: {}["no such key"])
    out = capsys.readouterr().out
    assert "KeyError" in out and out.count("\n") == 1


def test_an_unusual_mistake_fails_without_a_hint(capsys):
    assert not checks.check_uncertainty(lambda p: 0.77)
    assert "0.77" in capsys.readouterr().out


@pytest.mark.parametrize(
    "check", [checks.check_uncertainty, checks.check_exit_layer, checks.check_expected_depth]
)
def test_a_number_written_as_a_text_is_no_number(said, check):
    right = {
        checks.check_uncertainty: lambda p: entropy(p) / math.log(len(p)),
        checks.check_exit_layer: first_below,
        checks.check_expected_depth: lambda rates: len(rates) - sum(rates),
    }[check]
    for written in (str, repr, "{:.6f}".format):
        assert not check(lambda *given, written=written: written(right(*given)))
        assert said("check.hint.text")


# --- right answers that use their arguments up -----------------------------------------------------


def popping_uncertainty(p):
    classes, entropy = len(p), 0.0
    while p:
        if (x := p.pop()) > 0:
            entropy -= x * math.log(x)
    return entropy / math.log(classes)


def popping_exit_layer(doubts, speed):
    depth = 1
    while len(doubts) > 1 and doubts.pop(0) >= speed:
        depth += 1
    return depth


def removing_budget(trace, speeds, max_loss):
    for speed in [each for each in speeds if each not in allowed(trace, speeds, max_loss)]:
        speeds.remove(speed)
    speeds.sort(key=lambda speed: trace.at(speed).flops_speedup)
    return speeds.pop()


def popping_depth(rates):
    depth = 0.0
    while rates:
        depth += 1 - rates.pop()
    return depth


def reversing_pass(x, layers, runs):
    layers.reverse()
    while layers:
        layer = layers.pop()
        if runs.pop(0):
            x = layer(x)
    return x


def reversing_renaming(name, keep):
    keep.reverse()
    keep.sort()
    new = renamed(name, keep)
    keep.clear()
    return new


USED_UP = [
    (checks.check_uncertainty, popping_uncertainty),
    (checks.check_exit_layer, popping_exit_layer),
    (checks.check_budget, removing_budget),
    (checks.check_expected_depth, popping_depth),
    (checks.check_pass, reversing_pass),
    (checks.check_renaming, reversing_renaming),
]


@pytest.mark.parametrize(("check", "function"), USED_UP, ids=[each.__name__ for _, each in USED_UP])
def test_a_right_answer_may_change_its_arguments(said, check, function):
    assert check(function)
    assert said("check.pass")


def test_the_line_shows_the_arguments_as_they_were_given(capsys):
    assert not checks.check_expected_depth(lambda rates: [rates.pop(), rates.clear()][0])
    assert "([0.5, 0.5, 0.5, 0.5])" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("used_up", "hint"),
    [
        (lambda rates: sum(rates.pop() for _ in range(len(rates))), "counts_dropped"),
        (lambda rates: math.prod(1 - rates.pop() for _ in range(len(rates))), "all_at_once"),
    ],
)
def test_a_mistake_is_told_though_the_arguments_are_used_up(said, used_up, hint):
    assert not checks.check_expected_depth(used_up)
    assert said(f"check.hint.{hint}")


def test_a_pass_that_computes_what_is_dropped_is_told_though_the_lists_are_used_up(said):
    def thrown_away(x, layers, runs):
        while layers:
            computed = layers.pop(0)(x)
            x = computed if runs.pop(0) else x
        return x

    assert not checks.check_pass(thrown_away)
    assert said("check.computes_dropped")
