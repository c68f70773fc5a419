"""How the two stages of a FastBERT train: the loss of fine-tuning, then that of self-distillation."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from course_lib.measures.report import seed_records
from course_lib.paths import RUNS
from course_lib.style import BLUE, GREEN, describe, new_figure
from course_lib.words import t

STAGES = {"finetune": GREEN, "distil": BLUE}


def stage_losses(recipe: str, runs: Path = RUNS) -> Figure:
    """One panel a stage; the faint lines are seeds, the strong one their mean.

    The losses are not one scale: cross-entropy with the labels (the exits trained with it), then the
    KL divergences of all students, added up (paper, equation 6).
    """
    records = seed_records(recipe, runs)
    figure, panels = new_figure(ncols=2)
    ends = {}
    for axes, (stage, color) in zip(panels, STAGES.items(), strict=True):
        histories = [_losses(record["history"][stage]) for record in records]
        steps = histories[0][0]
        curves = np.array([np.interp(steps, *each) for each in histories])  # [seeds, points]
        axes.plot(steps, curves.T, color=color, linewidth=0.8, alpha=0.4)
        axes.plot(steps, curves.mean(0), color=color, linewidth=2.2)
        axes.set(xlabel=t("axis.training_step"), title=t(f"stage_losses.{stage}"))
        axes.set_ylim(bottom=0)
        axes.locator_params(nbins=4)
        ends[stage] = curves.mean(0)[[0, -1]]
    panels[0].set_ylabel(t("axis.loss"))
    title = t("figure.stage_losses", start=ends["distil"][0], end=ends["distil"][1], seeds=len(records))
    figure.suptitle(title, x=0.01, ha="left", fontsize=14)
    return describe(figure, title)


def _losses(history: list[dict]) -> tuple[list[int], list[float]]:
    """Steps and losses; the history also holds an entry an epoch, without them."""
    rows = [row for row in history if "loss" in row]
    return [row["step"] for row in rows], [row["loss"] for row in rows]
