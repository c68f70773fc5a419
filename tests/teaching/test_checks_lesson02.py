"""The exercises of lesson 02: right answers pass; every usual mistake fails, with the hint that names it."""

import math

import pytest
import torch

from course_lib.teaching import checks

pytestmark = pytest.mark.usefixtures("language")


def asked(probabilities, hidden, wanted=True):
    return [p for p, each in zip(probabilities, hidden, strict=True) if each is wanted]


def mean_loss(probabilities, log=math.log):
    return -sum(log(p) for p in probabilities) / len(probabilities)


def kl(first, second, log=math.log):
    return sum(p * log(p / q) for p, q in zip(first, second, strict=True) if p)


def parts(stage):
    return {"finetune": ["backbone", "teacher"], "distill": ["students"]}.get(
        stage, ["backbone", "teacher", "students"]
    )


def in_tensors(student, teacher):
    student, teacher = torch.tensor(student), torch.tensor(teacher)
    return (torch.special.xlogy(student, student) - torch.special.xlogy(student, teacher)).sum()


def instead(**changes):
    return lambda stage: changes.get(stage, parts(stage))


RIGHT = {
    checks.check_masked_loss: [lambda p, hidden: mean_loss(asked(p, hidden))],
    checks.check_kl: [kl, in_tensors],
    checks.check_trained_parts: [parts, lambda stage: tuple(reversed(parts(stage)))],
}


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_02_right(said, check):
    for function in RIGHT[check]:
        assert check(function)
        assert said("check.pass")


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_lesson_02_not_written_yet(said, check):
    def starter(*_):
        raise NotImplementedError

    for unfinished in (starter, ..., None, lambda *_: ...):
        assert not check(unfinished)
        assert said("check.todo")


def test_a_single_part_is_a_list_too(said):
    assert not checks.check_trained_parts(lambda stage: "students")
    assert not said("check.pass")


@pytest.mark.parametrize(
    ("check", "wrong", "hint"),
    [
        (
            checks.check_masked_loss,
            lambda p, hidden: mean_loss(asked(p, hidden)) * sum(hidden) / len(p),
            "all_tokens",
        ),
        (checks.check_masked_loss, lambda p, hidden: mean_loss(asked(p, hidden)) * sum(hidden), "summed"),
        (checks.check_masked_loss, lambda p, hidden: mean_loss(asked(p, hidden, False)), "visible_tokens"),
        (checks.check_masked_loss, lambda p, hidden: mean_loss(asked(p, hidden), math.log2), "base_two"),
        (
            checks.check_masked_loss,
            lambda p, hidden: -math.log(sum(asked(p, hidden)) / sum(hidden)),
            "mean_inside",
        ),
        (
            checks.check_kl,
            lambda student, teacher: kl(teacher, [max(p, 1e-30) for p in student]),
            "none",
        ),
        (checks.check_kl, lambda student, teacher: kl(teacher, student), "other_direction"),
        (
            checks.check_kl,
            lambda student, teacher: -sum(p * math.log(q) for p, q in zip(student, teacher, strict=True)),
            "cross_entropy",
        ),
        (checks.check_kl, lambda student, teacher: -kl(student, teacher), "kl_sign"),
        (checks.check_kl, lambda student, teacher: kl(student, teacher) / len(student), "mean_of_classes"),
        (checks.check_kl, lambda student, teacher: kl(student, teacher, math.log2), "base_two"),
        (
            checks.check_kl,
            lambda student, teacher: sum(p * math.log(p / q) for p, q in zip(student, teacher, strict=True)),
            "kl_zero",
        ),
        (checks.check_trained_parts, instead(finetune=parts("joint")), "students_too_early"),
        (checks.check_trained_parts, instead(distill=["students", "teacher"]), "teacher_moves"),
        (checks.check_trained_parts, instead(distill=["backbone", "students"]), "backbone_moves"),
        (checks.check_trained_parts, instead(finetune=["backbone"]), "no_head"),
    ],
)
def test_lesson_02_wrong(said, check, wrong, hint):
    assert not check(wrong)
    assert hint == "none" or said(f"check.hint.{hint}")
