"""Both directions of the KL divergence, for two classes: what a student pays for each possible answer."""

import numpy as np
import torch
from matplotlib.figure import Figure

from course_lib.models.fastbert import DIRECTIONS, self_distillation_loss
from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t

COLOURS = dict(zip(DIRECTIONS, (BLUE, ORANGE), strict=True))


def penalty(student: float, teacher: float, direction: str) -> float:
    """The KL divergence (nats); both numbers are probabilities of the first of two classes."""
    students = torch.tensor([[[student, 1 - student]]], dtype=torch.float64).log()  # [1, 1, 2]
    taught = torch.tensor([[teacher, 1 - teacher]], dtype=torch.float64).log()  # [1, 2]
    return self_distillation_loss(students, taught, direction).item()


def divergences(teachers: tuple[float, float] = (0.95, 0.5)) -> Figure:
    """Left, a teacher that is sure; right, one that is not. Computed by the course's own loss."""
    figure, panels = new_figure(height=4.6, ncols=2, sharey=True)
    answers = np.linspace(0.005, 0.995, 199)
    for axes, teacher in zip(panels, teachers, strict=True):
        axes.axvline(teacher, color=GREEN, linestyle="--", linewidth=1.6)
        for direction, color in COLOURS.items():
            losses = [penalty(answer, teacher, direction) for answer in answers]
            axes.plot(answers, losses, color=color, linewidth=2.4, label=t(f"kl.{_word(direction)}"))
        axes.set(xlabel=t("axis.student_answer"), ylim=(0, 3), xlim=(0, 1))
        axes.set_title(t("kl.teacher_says", teacher=teacher))
        percent_axis(axes.xaxis)
        axes.set_ylabel(t("axis.divergence"))
    panels[1].legend(loc="upper center", frameon=True, framealpha=1, edgecolor="white")
    sure, unsure = teachers
    torn = {_word(direction): penalty(0.5, sure, direction) for direction in DIRECTIONS}
    cocksure = {_word(direction): penalty(0.99, unsure, direction) for direction in DIRECTIONS}
    title = t("figure.divergences", **torn)
    figure.suptitle(title, x=0.01, ha="left", fontsize=14)
    words = t("figure.divergences_alt", **cocksure)
    return describe(figure, f"{title}{t('list.semicolon')}{words}")


def _word(direction: str) -> str:
    """ "student||teacher" -> "paper", the other -> "code": where each is found."""
    return "paper" if direction == DIRECTIONS[0] else "code"
