"""The checks of lesson 06: right answers in several spellings pass, usual mistakes get their hint."""

import numpy as np
import pytest

from course_lib import words
from course_lib.teaching import checks


@pytest.fixture(autouse=True)
def english():
    words.use("en")
    yield
    words.use(None)


def by_hand(costs, accuracies, cost):
    pairs = list(zip(costs, accuracies, strict=True))
    for (low, below), (high, above) in zip(pairs, pairs[1:], strict=False):
        if low <= cost <= high:
            share = (cost - low) / (high - low)
            return (1 - share) * below + share * above


def test_right_answers_pass(capsys):
    assert checks.check_equal_cost(by_hand)
    assert checks.check_equal_cost(lambda costs, accuracies, cost: np.interp(cost, costs, accuracies))
    assert checks.check_interval(lambda drawn: np.quantile(drawn, [0.025, 0.975]))
    assert checks.check_interval(lambda drawn: (sorted(drawn)[10], sorted(drawn)[-11]))  # 10 of 400 a side
    assert checks.check_interval(lambda drawn: list(np.percentile(drawn, (2.5, 97.5))))
    assert "✗" not in capsys.readouterr().out


def test_solutions_that_sort_in_place_pass():
    def sorts(drawn):
        drawn.sort()
        return drawn[10], drawn[389]

    assert checks.check_interval(sorts)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda c, a, cost: a[int(np.abs(np.array(c) - cost).argmin())], "nearest_cost"),
        (lambda c, a, cost: [x for y, x in zip(c, a, strict=True) if y <= cost][-1], "cheaper_cost"),
        (lambda c, a, cost: sum(a) / len(a), "none"),
    ],
)
def test_usual_mistakes_about_cost_are_named(wrong, hint, capsys):
    assert not checks.check_equal_cost(wrong)
    assert words.t(f"check.hint.{hint}") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda drawn: [min(drawn), max(drawn)], "whole_range"),
        (lambda drawn: np.quantile(drawn, [0.05, 0.95]), "ninety"),
        (lambda drawn: [np.mean(drawn) - np.std(drawn), np.mean(drawn) + np.std(drawn)], "one_deviation"),
        (lambda drawn: np.quantile(drawn, [0.975, 0.025]), "high_first"),
    ],
)
def test_usual_mistakes_about_the_interval_are_named(wrong, hint, capsys):
    assert not checks.check_interval(wrong)
    assert words.t(f"check.hint.{hint}") in capsys.readouterr().out


@pytest.mark.parametrize(
    "nonsense", [None, ..., lambda drawn: 0.5, lambda drawn: "wide", lambda drawn: 1 / 0]
)
def test_nonsense_gets_one_line(nonsense, capsys):
    assert not checks.check_interval(nonsense)
    assert len(capsys.readouterr().out.strip().splitlines()) == 1
