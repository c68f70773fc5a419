"""The loss of pre-training, step by step: a few steps live, beside the recorded long run."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from course_lib.style import BLUE, GREY, ORANGE, PURPLE, SKY, describe, new_figure
from course_lib.words import t

COLOURS = {3: SKY, 6: PURPLE, 12: BLUE}  # by number of layers
LIVE = {"color": ORANGE, "linewidth": 3}


def recorded_losses(records: Sequence[dict]) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Run records of pre-trainings that follow each other -> for each phase: layers, steps, losses.

    Steps are counted on from phase to phase.
    """
    found, done = [], 0
    for record in records:
        for phase in record["phases"]:
            steps = np.array([entry["step"] for entry in phase["history"]])
            found.append(
                (phase["layers"], done + steps, np.array([each["loss"] for each in phase["history"]]))
            )
            done += int(steps[-1])
    return found


def pretraining_loss(records: Sequence[dict], live: Sequence[dict], vocabulary: int) -> Figure:
    """Losses (nats a hidden token) over steps, on a logarithmic axis; the dashed line is pure guessing.

    Args:
        records: of the long run, in order; live: the history of the short one.
        vocabulary: how many tokens there are to guess among.
    """
    figure, axes = new_figure()
    guessing = float(np.log(vocabulary))
    axes.axhline(guessing, color=GREY, linestyle="--", label=t("label.guessing", tokens=vocabulary))
    named = set()
    for layers, steps, losses in recorded_losses(records):
        label = None if layers in named else t("label.recorded", layers=layers)
        named.add(layers)
        axes.plot(steps, losses, color=COLOURS.get(layers, BLUE), linewidth=2, label=label)
    steps = [entry["step"] for entry in live]
    axes.plot(steps, [entry["loss"] for entry in live], label=t("label.live"), **LIVE)
    axes.set(xscale="log", xlabel=t("axis.training_step"), ylabel=t("axis.masked_loss"))
    axes.legend(loc="lower left")
    last = recorded_losses(records)[-1]
    title = t(
        "figure.pretraining_loss", live=live[-1]["loss"], steps=steps[-1], end=last[2][-1], all=last[1][-1]
    )
    axes.set_title(title)
    return describe(figure, title)
