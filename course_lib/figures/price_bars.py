"""Memory, counted FLOPs and measured time of a network whole, cut, and with exits, each against the whole."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from course_lib.measures.prices import Prices
from course_lib.style import BLUE, GREEN, INK, ORANGE, describe, new_figure
from course_lib.words import t

PRICES = {"weights": "fewer_weights", "flops": "fewer_flops", "milliseconds": "quicker"}
COLOURS = {"whole": BLUE, "exits": ORANGE, "cut": GREEN}


def price_bars(found: Mapping[str, Prices]) -> Figure:
    """Three groups of bars; 100 % is the whole network."""
    figure, axes = new_figure()
    names = [name for name in COLOURS if name in found]
    shares = {name: [100 / getattr(found[name], field) for field in PRICES.values()] for name in names}
    places = np.arange(len(PRICES))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        x = places + (number - (len(names) - 1) / 2) * width
        axes.bar(x, shares[name], width * 0.92, color=COLOURS[name], label=t(f"lightweight.name_{name}"))
        for each, share in zip(x, shares[name], strict=True):
            axes.text(each, share + 1.5, f"{share:.0f}", ha="center", color=INK)
    axes.set_xticks(places, [t(f"price.{price}") for price in PRICES])
    axes.set(xlabel=t("axis.price"), ylabel=t("axis.of_whole"))
    axes.set_ylim(0, max(max(each) for each in shares.values()) * 1.3)
    axes.grid(visible=False, axis="x")
    axes.legend(ncols=len(names), loc="upper right")
    exits = {price: shares["exits"][number] / 100 for number, price in enumerate(PRICES)}
    title = t("figure.price_bars", **exits)
    axes.set_title(title)
    cells = [
        t(
            "figure.price_bars_cell",
            name=t(f"lightweight.name_{name}"),
            **dict(zip(PRICES, each, strict=True)),
        )
        for name, each in shares.items()
    ]
    return describe(figure, f"{title}{t('list.semicolon')}{t('list.semicolon').join(cells)}")
