"""One document as its windows and layers: where it was read, how deep, and how certain each exit was."""

import numpy as np
import seaborn
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.measures.window_trace import WindowTrace
from course_lib.style import ORANGE, describe, new_figure
from course_lib.words import t

MOST = 40  # windows that can be told apart in one picture


def windows_by_layers(trace: WindowTrace, document: int, enough: float, speed: float) -> Figure:
    """Uncertainty of every exit (rows) for every window (columns) of one document; computed cells are framed.

    Of a document of more than `MOST` windows the first ones are shown.

    Raises:
        ValueError: there is no such document.
    """
    if not 0 <= document < len(trace.labels):
        raise ValueError(f"document must lie in 0..{len(trace.labels) - 1}, not {document}")
    its = np.flatnonzero(trace.document == document)
    shown = its[:MOST]
    layers = trace.windows.at(speed).exit_layer[shown]
    found = trace.at(enough, speed)
    read = int(found.windows_read[document])

    figure, axes = new_figure(width=9.0, height=4.5)
    doubts = trace.windows.uncertainties[:, shown]  # [L, windows]
    depths, columns = np.arange(1, len(doubts) + 1), np.arange(1, len(shown) + 1)
    seaborn.heatmap(
        doubts,
        ax=axes,
        vmin=0,
        vmax=1,
        cmap="cividis_r",  # made for colour-blind readers; certain is bright
        xticklabels=[str(each) if len(shown) <= 20 or each % 5 == 0 else "" for each in columns],
        yticklabels=[str(each) for each in depths],
        cbar_kws={"label": t("axis.uncertainty_short")},
    )
    axes.invert_yaxis()  # the first layer at the bottom, where a window enters
    axes.tick_params(axis="both", rotation=0, length=0)
    axes.grid(False)
    for column in range(min(read, len(shown))):
        axes.add_patch(
            Rectangle(
                (column, 0), 1, layers[column], fill=False, edgecolor=ORANGE, linewidth=3, clip_on=False
            )
        )
    axes.set(xlabel=t("axis.window"), ylabel=t("axis.layer"))
    cells = int(found.layers[document])
    title = t("figure.windows_title", read=read, windows=len(its), cells=cells, all=len(its) * len(depths))
    axes.set_title(title)
    outcome = t("figure.windows_right" if found.right[document] else "figure.windows_wrong")
    return describe(figure, t("figure.windows", title=title, enough=enough, speed=speed, outcome=outcome))
