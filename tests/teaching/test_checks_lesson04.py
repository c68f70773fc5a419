"""The exercises of lesson 04: right answers pass; every usual mistake fails, with the hint that names it."""

import math

import numpy as np
import pytest
from right_answers import paper_rule, renamed, through

from course_lib.models.pruning import every_other
from course_lib.teaching import checks

pytestmark = pytest.mark.usefixtures("language")


def with_period(whole):
    """The rule with 1/p made whole in another way."""

    def rule(layers, keep):
        period = whole(layers / (layers - keep))
        return [depth for depth in range(1, layers + 1) if depth % period]

    return rule


RIGHT = {
    checks.check_expected_depth: [lambda rates: len(rates) - sum(rates)],
    checks.check_pass: [through],
    checks.check_every_other: [paper_rule, lambda layers, keep: np.array(paper_rule(layers, keep))],
    checks.check_renaming: [renamed],
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_04_right(said, check):
    for function in RIGHT[check]:
        assert check(function)
        assert said("check.pass")


def test_a_pass_that_computes_what_is_dropped_is_no_pass(said):
    def thrown_away(x, layers, runs):
        for layer, on in zip(layers, runs, strict=True):
            computed = layer(x)
            x = computed if on else x
        return x

    assert not checks.check_pass(thrown_away)
    assert said("check.computes_dropped")
    assert not checks.check_pass(lambda x, layers, runs: 0 * thrown_away(x, layers, runs))
    assert not said("check.computes_dropped"), "a wrong number comes first"


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_04_not_written_yet(said, check):
    def starter(*_):
        raise NotImplementedError

    assert not check(starter)
    assert said("check.todo")


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
def test_lesson_04_wrong(said, check, wrong, hint):
    assert not check(wrong)
    assert said(f"check.hint.{hint}")
