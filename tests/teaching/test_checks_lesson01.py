"""The exercises of lesson 01: right answers pass; every usual mistake fails, with the hint that names it."""

import pytest

from course_lib.teaching import checks

pytestmark = pytest.mark.usefixtures("language")


def weights(hidden, inner):
    return 4 * hidden * (hidden + 1) + 2 * hidden * inner + inner + hidden + 4 * hidden


def costs(left, price):
    return [depth * (1 + price) for depth in left]


RIGHT = {
    checks.check_layer_weights: [weights, lambda hidden, inner: float(weights(hidden, inner))],
    checks.check_megabytes: [lambda weights, bits: weights / 1e6 * bits / 8],
    checks.check_saving: [lambda left, layers, p: (layers + p) * len(left) / sum(costs(left, p))],
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_01_right(said, check):
    for function in RIGHT[check]:
        assert check(function)
        assert said("check.pass")


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_01_not_written_yet(said, check):
    def starter(*_):
        raise NotImplementedError

    for unfinished in (starter, ..., None, lambda *_: ...):
        assert not check(unfinished)
        assert said("check.todo")


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_01_an_unusual_mistake_fails_without_a_hint(said, check):
    assert not check(lambda *_: 0.77)
    assert not any(said(f"check.hint.{hint}") for hint in ("no_biases", "just_bytes", "free_exits"))


@pytest.mark.parametrize(
    ("check", "wrong", "hint"),
    [
        (checks.check_layer_weights, lambda h, f: 4 * h * h + 2 * h * f + 4 * h, "no_biases"),
        (checks.check_layer_weights, lambda h, f: weights(h, f) - 4 * h, "no_norms"),
        (checks.check_layer_weights, lambda h, f: weights(h, f) - h * h - h, "three_projections"),
        (checks.check_layer_weights, lambda h, f: weights(h, f) - f * h - h, "one_way"),
        (checks.check_megabytes, lambda weights, bits: weights * bits / 1e6, "bits_as_bytes"),
        (checks.check_megabytes, lambda weights, bits: weights * 4 / 1e6, "always_float32"),
        (checks.check_megabytes, lambda weights, bits: weights * bits / 8 / 1024**2, "mebibytes"),
        (checks.check_megabytes, lambda weights, bits: weights * bits / 8, "just_bytes"),
        (checks.check_saving, lambda left, layers, p: layers * len(left) / sum(left), "free_exits"),
        (
            checks.check_saving,
            lambda left, layers, p: (layers + p) * len(left) / sum(depth + p for depth in left),
            "one_exit",
        ),
        (
            checks.check_saving,
            lambda left, layers, p: sum((layers + p) / each for each in costs(left, p)) / len(left),
            "mean_of_ratios",
        ),
        (
            checks.check_saving,
            lambda left, layers, p: layers * len(left) / sum(costs(left, p)),
            "bare_baseline",
        ),
        (
            checks.check_saving,
            lambda left, layers, p: sum(costs(left, p)) / len(left) / (layers + p),
            "upside_down",
        ),
    ],
)
def test_lesson_01_wrong(said, check, wrong, hint):
    assert not check(wrong)
    assert said(f"check.hint.{hint}")
