"""The rounded boxes and arrows that schematics are made of."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.style import INK

ROUND = 0.08  # how far a box's rounding reaches over its corners


def draw_box(
    axes: Axes,
    middle: tuple[float, float],
    size: tuple[float, float],
    words: str,
    edge: str,
    fill: str = "white",
    ink: str = INK,
    points: float = 14,
    dashed: bool = False,
) -> None:
    """A rounded box around `middle`, its words in it."""
    (x, y), (width, height) = middle, size
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2 + ROUND, y - height / 2 + ROUND),
            width - 2 * ROUND,
            height - 2 * ROUND,
            boxstyle=f"round,pad={ROUND}",
            facecolor=fill,
            edgecolor=edge,
            linewidth=1.8,
            linestyle=(0, (3, 2)) if dashed else "-",
        )
    )
    axes.text(x, y, words, ha="center", va="center", fontsize=points, color=ink, linespacing=1.25)


def draw_arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str, width: float = 2.4
) -> None:
    """A straight arrow."""
    arrow = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
