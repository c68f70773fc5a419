"""Which layers each rule keeps, and what that is worth."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course_lib.figures.drawn_layers import draw_cells
from course_lib.style import describe, new_figure
from course_lib.words import t

WAYS = ("every_other", "first", "search", "data_driven")


def kept_layers(table: pd.DataFrame, keep: int) -> Figure:
    """One row a rule of `cuts.cut_table` (one study): in how many of its seeds a layer stays.

    Beside each rule stands the mean accuracy after the cut, nothing trained again.
    """
    rows = table[(table["keep"] == keep) & table["way"].isin(WAYS)]
    depth = int(table["keep"].max())
    shares, means = [], rows.groupby("way")["accuracy"].mean()
    for way in reversed(WAYS):  # the first at the top
        kept = [np.isin(np.arange(1, depth + 1), layers) for layers in rows[rows["way"] == way]["layers"]]
        shares.append(np.mean(kept, axis=0))
    figure, axes = new_figure()
    draw_cells(axes, np.array(shares))
    axes.set_yticks(
        range(1, len(WAYS) + 1),
        [t("kept.row", way=t(f"depth.{way}"), accuracy=means[way]) for way in reversed(WAYS)],
    )
    axes.set_xticks(range(1, depth + 1))
    axes.set_xlabel(t("axis.layer"))
    best = means.idxmax()
    title = t("figure.kept_layers", keep=keep, best=t(f"depth.{best}"), high=means[best], low=means.min())
    axes.set_title(title)
    return describe(figure, title)
