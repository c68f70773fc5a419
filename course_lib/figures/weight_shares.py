"""Where the weights of several networks are: shares of embeddings, layers and heads."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from course_lib.measures.weights import PARTS
from course_lib.style import BLUE, GREY, ORANGE, describe, new_figure, percent_axis
from course_lib.words import t

COLOURS = dict(zip(PARTS, (GREY, BLUE, ORANGE), strict=True))
SEEN = 0.04  # a share that is wide enough for its own number


def weight_shares(networks: Mapping[str, Mapping[str, int]]) -> Figure:
    """One bar a network (name -> part -> weights), as shares; the number in brackets is the sum."""
    figure, axes = new_figure(height=1.5 + 0.75 * len(networks))
    totals = {name: sum(parts.values()) for name, parts in networks.items()}
    rows = np.arange(len(networks))[::-1]  # the first network on top
    left = np.zeros(len(networks))
    for part in PARTS:
        shares = np.array([networks[name][part] / totals[name] for name in networks])
        axes.barh(rows, shares, left=left, color=COLOURS[part], height=0.6, label=t(f"part.{part}"))
        for row, start, share in zip(rows, left, shares, strict=True):
            if share > SEEN:
                axes.text(start + share / 2, row, f"{share:.0%}", ha="center", va="center", color="white")
        left += shares
    names = [t("part.network", name=name, millions=totals[name] / 1e6) for name in networks]
    axes.set_yticks(rows, names)
    axes.set(xlim=(0, 1), xlabel=t("axis.weight_share"), ylabel=t("axis.network"))
    axes.grid(visible=False)
    percent_axis(axes.xaxis)
    axes.legend(ncols=len(PARTS), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    name = max(networks, key=lambda each: networks[each]["embeddings"] / totals[each])
    share = networks[name]["embeddings"] / totals[name]
    title = t("figure.weight_shares", name=name, share=share)
    figure.suptitle(title, x=0.01, ha="left", fontsize=14)
    cells = [
        t("figure.weight_shares_cell", name=name, **{part: parts[part] / totals[name] for part in PARTS})
        for name, parts in networks.items()
    ]
    return describe(figure, f"{title}{t('list.semicolon')}{t('list.semicolon').join(cells)}")
