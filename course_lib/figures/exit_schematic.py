"""What is inside one exit: from the states of a layer to a verdict, leave or go on."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.style import BLUE, GREEN, INK, ORANGE, describe, new_figure
from course_lib.words import t

LARGE = 17.5  # points, to be read from the last row
PARTS = ("narrow", "attend", "pool", "answer")
WIDE, HIGH, GAP = 2.9, 1.35, 0.75
TOP = 3.35  # the row of parts; below it, the verdict


def exit_schematic() -> Figure:
    """The paper's classifier (section 3.1): 768 -> 128, self-attention, the first token's vector, classes.

    Nothing in it is measured: the shapes are those of BERT-base, B sentences of T tokens, N classes.
    """
    figure, axes = new_figure(width=9.0, height=4.0)
    axes.set(xlim=(0, 14.4), ylim=(0, 6.0))
    axes.axis("off")
    for number, part in enumerate(PARTS):
        x = _place(number)
        _box(axes, x, TOP, t(f"exit.{part}"), BLUE)
        axes.text(
            x, TOP + HIGH / 2 + 0.35, t(f"exit.shape_{part}"), ha="center", fontsize=LARGE, color="#777777"
        )
        start = x - WIDE / 2 - (GAP if number else 0.35)
        _arrow(axes, (start, TOP), (x - WIDE / 2, TOP), BLUE)
    x = _place(3)
    _box(axes, x, 0.95, t("exit.doubt"), ORANGE)
    _arrow(axes, (x, TOP - HIGH / 2), (x, 0.95 + HIGH / 2), BLUE)
    middle = _place(1) + 1.3
    _arrow(axes, (x - WIDE / 2, 1.25), (middle + 1.6, 1.25), GREEN)
    axes.text(middle + 1.4, 1.25, t("exit.leave"), ha="right", va="center", fontsize=LARGE, color=GREEN)
    _arrow(axes, (x - WIDE / 2, 0.5), (middle + 1.6, 0.5), INK)
    axes.text(middle + 1.4, 0.5, t("exit.go_on"), ha="right", va="center", fontsize=LARGE, color=INK)
    title = t("figure.exit_schematic")
    axes.set_title(title, fontsize=LARGE)
    return describe(figure, f"{title}{t('figure.exit_schematic_alt')}")


def _place(number: int) -> float:
    return 0.4 + WIDE / 2 + number * (WIDE + GAP - 0.12)


def _box(axes: Axes, x: float, y: float, words: str, edge: str) -> None:
    patch = FancyBboxPatch(
        (x - WIDE / 2 + 0.1, y - HIGH / 2 + 0.1),
        WIDE - 0.2,
        HIGH - 0.2,
        boxstyle="round,pad=0.1",
        facecolor="white",
        edgecolor=edge,
        linewidth=2.2,
    )
    axes.add_patch(patch)
    axes.text(x, y, words, ha="center", va="center", fontsize=LARGE, color=INK, linespacing=1.2)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 2.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
