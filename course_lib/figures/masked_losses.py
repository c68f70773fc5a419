"""The masked language model's loss while backbones are pre-trained, with LayerDrop and without."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from course_lib.figures.studies import look
from course_lib.measures.records import read_record
from course_lib.measures.report import held_out_loss
from course_lib.paths import RUNS
from course_lib.style import describe, new_figure
from course_lib.words import t


def masked_losses_in_training(records: Mapping[str, str], runs: Path = RUNS) -> Figure:
    """One line a study -> run record of its pre-training; the title compares the losses on held-out texts."""
    figure, axes = new_figure()
    for study, name in records.items():
        steps, losses, before = [], [], 0
        for phase in read_record(name, runs)["phases"]:
            rows = [row for row in phase["history"] if "loss" in row]
            steps += [before + row["step"] for row in rows]
            losses += [row["loss"] for row in rows]
            before += phase["steps"]
        axes.plot(steps, losses, linewidth=2, **(look(study) | {"marker": None}))
    axes.set(xlabel=t("axis.training_step"), ylabel=t("axis.masked_loss"))
    axes.legend(loc="upper right")
    first, second = (held_out_loss(name, runs) for name in list(records.values())[:2])
    title = t("figure.masked_losses", first=first, second=second)
    axes.set_title(title)
    return describe(figure, title)
