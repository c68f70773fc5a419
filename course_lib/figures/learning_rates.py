"""What a schedule does to the learning rate: warm-up, then constant, linear or cosine."""

import torch
from matplotlib.figure import Figure
from transformers import get_scheduler

from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t

SCHEDULES = {"constant_with_warmup": (GREEN, ":"), "linear": (BLUE, "-"), "cosine": (ORANGE, "--")}
STEPS = 200
WARM_UP = 0.1  # FastBERT's (section 4.3): a tenth of all steps


def rates(schedule: str, steps: int = STEPS, warm_up: float = WARM_UP) -> list[float]:
    """The learning rate [steps] as a share of its peak, by the scheduler that training uses."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = get_scheduler(schedule, optimizer, int(warm_up * steps), steps)
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def learning_rates() -> Figure:
    """The three schedules over one training."""
    figure, axes = new_figure()
    for schedule, (color, style) in SCHEDULES.items():
        shares = [(step + 1) / STEPS for step in range(STEPS)]
        axes.plot(shares, rates(schedule), style, color=color, linewidth=2.6, label=t(f"schedule.{schedule}"))
    axes.axvspan(0, WARM_UP, color="#eeeeee", zorder=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.05), xlabel=t("axis.part_of_training"), ylabel=t("axis.rate_share"))
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.legend(loc="lower left", bbox_to_anchor=(0.12, 0.0))
    title = t("figure.learning_rates", warm_up=WARM_UP)
    axes.set_title(title)
    return describe(figure, title)
