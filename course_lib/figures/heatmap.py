"""A table of shares in colours, with the per cent written in each cell."""

import pandas as pd
import seaborn
from matplotlib.axes import Axes

from course_lib.words import t


def draw_heatmap(axes: Axes, shares: pd.DataFrame, colour_bar: bool = True) -> None:
    """Draws shares in 0..1; rows and columns are named by the table's index and columns."""
    seaborn.heatmap(
        100 * shares,
        ax=axes,
        annot=True,
        fmt=".0f",
        vmin=0,
        vmax=100,
        cmap="cividis",  # made for colour-blind readers
        linewidths=1,
        cbar=colour_bar,
        cbar_kws={"label": t("axis.accuracy_percent")} if colour_bar else None,
    )
    axes.tick_params(axis="y", rotation=0)
