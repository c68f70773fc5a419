"""How the idea of needing fewer layers went on, year by year."""

import re

from matplotlib.figure import Figure

from course_lib.measures.published import published
from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure
from course_lib.words import t

WORKS = {  # the beginning of a name in data/published_results.csv, which has its year -> its line
    "Stochastic depth": "drop",
    "LayerDrop": "drop",
    "FastBERT": "leave",
    "DeeBERT": "leave",
    "PABEE": "leave",
    "DistilBERT": "distil",
    "TinyBERT": "distil",
    "CALM": "leave",
    "LayerSkip": "drop",
    "DREX": "leave",
}
LINES = {"drop": (GREEN, 4.9), "leave": (BLUE, 3.3), "distil": (ORANGE, 1.2)}  # colour, height
LARGE = 17
ONE = 1.35  # from one year to the next
DOWN = 0.42  # from one name to the next, in the same year


def timeline() -> Figure:
    """Three lines of work: drop layers in training, leave early, distil a small network."""
    figure, axes = new_figure(width=9.0, height=4.2)
    dated = sorted((_year(name), name, line) for name, line in WORKS.items())
    first, last = dated[0][0], dated[-1][0]
    axes.set(xlim=(-3.4, (last - first) * ONE + 0.7), ylim=(-0.25, 5.5))
    axes.axis("off")
    for line, (color, height) in LINES.items():
        axes.plot([-0.3, (last - first) * ONE + 0.5], [height] * 2, color=color, linewidth=3, alpha=0.4)
        words = t(f"timeline.{line}")
        axes.text(-3.3, height, words, fontsize=LARGE, color=color, va="center", linespacing=1.15)
    taken: dict[tuple[int, str], int] = {}
    for year, name, line in dated:
        color, height = LINES[line]
        x, place = (year - first) * ONE, taken.get((year, line), 0)
        taken[year, line] = place + 1
        axes.plot([x], [height], "o", color=color, markersize=10)
        side = "left" if year == first else "center"
        axes.text(
            x - 0.3 * (side == "left"),
            height - 0.2 - DOWN * place,
            name.replace(" ", "\n"),
            fontsize=LARGE,
            ha=side,
            va="top",
        )
    for year in range(first, last + 1, 3):
        axes.text((year - first) * ONE, -0.1, str(year), fontsize=LARGE, ha="center", color="#777777")
    title = t("figure.timeline", first=first, last=last)
    axes.set_title(title)
    names = t("list.comma").join(f"{name} {year}" for year, name, _ in dated)
    return describe(figure, f"{title}{t('list.colon')}{names}")


def _year(name: str) -> int:
    """The year in the row's name: "CALM (Schuster et al. 2022, arXiv …)"."""
    return int(re.search(r"\b(20\d\d)\b", published(paper=name)[0]["paper"])[1])
