"""What is left after a cut, by the number of layers kept: accuracy, and the masked language model's loss."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.figures.studies import look
from course_lib.measures.cuts import compare_cuts
from course_lib.style import GREY, describe, new_figure, percent_axis
from course_lib.words import t


def accuracy_by_kept(
    table: pd.DataFrame, way: str = "every_other", keep: int = 6, classes: int = 2
) -> Figure:
    """One line a study of `cuts.cut_table`, the mean; each faint point is a seed.

    The title compares the first two studies at `keep` layers, and says whether seeds can tell them apart.
    """
    figure, axes = new_figure()
    draw_accuracy_by_kept(axes, table, way, classes)
    first, second = list(dict.fromkeys(table["study"]))[:2]
    gain = compare_cuts(table, keep, second, first, way)
    points = {name: 100 * getattr(gain, name) for name in ("mean", "low", "high")}
    title = t(f"figure.accuracy_by_kept_{'clear' if gain.clear else 'open'}", keep=keep, **points)
    axes.set_title(title)
    axes.legend(loc="center right")
    return describe(figure, title)


def draw_accuracy_by_kept(axes: Axes, table: pd.DataFrame, way: str, classes: int = 2) -> None:
    """The lines, on axes from just below chance to just above the best."""
    axes.axhline(1 / classes, color=GREY, linestyle="--", linewidth=1)
    for study, rows in table[table["way"] == way].groupby("study", sort=False):
        means, style = rows.groupby("keep")["accuracy"].mean(), look(study)
        axes.plot(means.index, means, **style)
        seeds = {"marker": style["marker"], "color": style["color"], "linestyle": "none"}
        axes.plot(rows["keep"], rows["accuracy"], alpha=0.35, markersize=5, **seeds)
    axes.set_ylim(min(1 / classes, table["accuracy"].min()) - 0.03, table["accuracy"].max() + 0.03)
    name_axes(axes, sorted(table["keep"].unique()))
    axes.set_ylabel(t("axis.accuracy"))
    percent_axis(axes.yaxis)


def masked_loss_by_kept(losses: pd.DataFrame) -> Figure:
    """One line a study of `cuts.masked_losses`: the pre-trained networks themselves, cut and not trained."""
    figure, axes = new_figure()
    for study in losses:
        axes.plot(losses.index, losses[study], **look(study))
    name_axes(axes, sorted(losses.index))
    axes.set_ylabel(t("axis.masked_loss"))
    first, second = losses.columns[:2]
    half = losses.index.max() // 2
    title = t("figure.masked_loss_by_kept", keep=half, first=losses[first][half], second=losses[second][half])
    axes.set_title(title)
    axes.legend(loc="upper right")
    return describe(figure, title)


def name_axes(axes: Axes, keeps: list[int]) -> None:
    axes.set_xticks(keeps)
    axes.set_xlim(min(keeps) - 0.6, max(keeps) + 0.6)
    axes.set_xlabel(t("axis.layers_kept"))
