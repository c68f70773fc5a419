"""The exercises of lesson 02: the masked loss, one direction of the KL divergence, what each stage trains."""

import math
from collections.abc import Callable

from course_lib.teaching.checks.compare import Wrong, compare

PARTS = ("backbone", "teacher", "students")


def check_masked_loss(function: Callable[[list[float], list[bool]], float]) -> bool:
    """Exercise: the mean loss over the hidden tokens, from the probability of each right token."""

    def losses(probabilities, hidden, wanted=True, log=math.log):
        pairs = zip(probabilities, hidden, strict=True)
        return [-log(probability) for probability, each in pairs if each == wanted]

    def mean(values):
        return sum(values) / len(values)

    cases = [
        ([0.5, 0.25, 0.9, 0.1], [True, False, False, True]),
        ([0.2, 0.7, 0.7], [False, True, False]),
        ([0.01, 0.6, 0.3, 0.8, 0.05], [True, True, False, False, True]),
        ([0.9, 0.4], [True, True]),
        ([1.0, 0.3, 0.5], [True, False, True]),
    ]
    mistakes: dict[str, Wrong] = {
        "all_tokens": lambda p, hidden: sum(losses(p, hidden)) / len(p),
        "summed": lambda p, hidden: sum(losses(p, hidden)),
        "visible_tokens": lambda p, hidden: mean(losses(p, hidden, wanted=False) or [math.nan]),
        "base_two": lambda p, hidden: mean(losses(p, hidden, log=math.log2)),
        "mean_inside": lambda p, hidden: (
            -math.log(mean([each for each, asked in zip(p, hidden, strict=True) if asked]))
        ),
    }
    raises = {ZeroDivisionError: "visible_tokens"}  # the last case has no visible token
    return compare(function, lambda p, hidden: mean(losses(p, hidden)), cases, mistakes, raises)


def check_kl(function: Callable[[list[float], list[float]], float]) -> bool:
    """Exercise: KL(student || teacher) of two lists of probabilities (equation 5)."""

    def divergence(first, second, log=math.log):
        return sum(p * log(p / q) for p, q in zip(first, second, strict=True) if p > 0)

    def cross_entropy(first, second):
        return -sum(p * math.log(q) for p, q in zip(first, second, strict=True))

    cases = [
        ([0.6, 0.4], [0.9, 0.1]),
        ([0.5, 0.5], [0.5, 0.5]),
        ([0.1, 0.2, 0.7], [0.3, 0.3, 0.4]),
        ([0.99, 0.01], [0.5, 0.5]),
        ([0.0, 1.0], [0.2, 0.8]),
    ]
    mistakes: dict[str, Wrong] = {
        "other_direction": lambda student, teacher: _reversed_kl(student, teacher),
        "cross_entropy": cross_entropy,
        "kl_sign": lambda student, teacher: -divergence(student, teacher),
        "mean_of_classes": lambda student, teacher: divergence(student, teacher) / len(student),
        "base_two": lambda student, teacher: divergence(student, teacher, math.log2),
        "kl_zero": lambda student, teacher: math.nan if 0.0 in student else divergence(student, teacher),
    }
    raises = {ValueError: "kl_zero", ZeroDivisionError: "other_direction"}
    return compare(function, divergence, cases, mistakes, raises)


def check_trained_parts(function: Callable[[str], list[str]]) -> bool:
    """Exercise: which of backbone, teacher and students learn, by the stage's name."""
    trained = {"finetune": ["backbone", "teacher"], "distill": ["students"], "joint": list(PARTS)}
    cases = [(stage,) for stage in trained]

    def in_order(stage: str) -> object:
        given = function(stage)
        if given is ... or isinstance(given, str):
            return given
        return [part for part in PARTS if part in set(given)]  # in whatever order they were named

    in_order.__name__ = getattr(function, "__name__", "function")

    def but(**changes):
        return lambda stage: changes.get(stage, trained[stage])

    mistakes: dict[str, Wrong] = {
        "students_too_early": but(finetune=list(PARTS)),
        "teacher_moves": but(distill=["teacher", "students"]),
        "backbone_moves": but(distill=["backbone", "students"]),
        "no_head": but(finetune=["backbone"]),
    }
    asked = in_order if callable(function) else function
    return compare(asked, trained.__getitem__, cases, mistakes)


def _reversed_kl(student: list[float], teacher: list[float]) -> float:
    """KL(teacher || student): endless where the student rules out what the teacher holds possible."""
    if any(p == 0 < q for p, q in zip(student, teacher, strict=True)):
        return math.inf
    return sum(q * math.log(q / p) for p, q in zip(student, teacher, strict=True) if q > 0)
