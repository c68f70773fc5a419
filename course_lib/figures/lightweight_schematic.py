"""Two ways to need fewer layers: leave early, sentence by sentence; or cut, once and for all sentences."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.figures.boxes import draw_arrow, draw_box
from course_lib.style import BLUE, GREEN, INK, ORANGE, describe, new_figure
from course_lib.words import t

PALE = "#bbbbbb"
LARGE, SMALL = 17, 15  # points: to be read from the last row
LAYERS = 6
LEAVES = 2  # the layer at which the easy sentence leaves
KEPT = (1, 3, 5)
STEP, WIDE, HIGH = 0.82, 2.3, 0.56
TOWERS = {"whole": 1.9, "exits": 6.6, "cut": 12.1}  # the middle of each


def lightweight_schematic() -> Figure:
    """Three towers: the whole network, the same with exits, and a cut one.

    Nothing in it is measured: it shows what each idea leaves out, and when that is decided.
    """
    figure, axes = new_figure(width=9.0, height=5.6)
    axes.set(xlim=(0, 14.4), ylim=(-2.1, 6.2))
    axes.axis("off")
    _whole(axes, TOWERS["whole"])
    _exits(axes, TOWERS["exits"])
    _cut(axes, TOWERS["cut"])
    for name, x in TOWERS.items():
        axes.text(x, -0.3, t(f"lightweight.{name}"), ha="center", va="top", fontsize=SMALL, linespacing=1.3)
    title = t("figure.lightweight_schematic")
    axes.set_title(title, fontsize=LARGE)
    stay = t("list.comma").join(map(str, KEPT))
    words = t("figure.lightweight_schematic_alt", layers=LAYERS, leaves=LEAVES, stay=stay)
    return describe(figure, f"{title}{words}")


def _height(number: int) -> float:
    return 0.55 + STEP * (number - 1)


def _layer(axes: Axes, x: float, number: int, color: str, on: bool = True) -> None:
    words = t("schematic.layer", number=number)
    draw_box(
        axes,
        (x, _height(number)),
        (WIDE, HIGH),
        words,
        edge=color if on else PALE,
        fill=color if on else "white",
        ink="white" if on else "#777777",
        points=SMALL,
        dashed=not on,
    )


def _up(axes: Axes, x: float, below: int, above: int, color: str) -> None:
    """The arrow from a layer to the next one that runs; 0 is where the sentence enters."""
    start = 0.0 if below == 0 else _height(below) + HIGH / 2
    end = _height(above) - HIGH / 2 if above <= LAYERS else _height(LAYERS) + STEP
    draw_arrow(axes, (x, start), (x, end), color)


def _whole(axes: Axes, x: float) -> None:
    for number in range(1, LAYERS + 1):
        _layer(axes, x, number, BLUE)
    for number in range(LAYERS + 1):
        _up(axes, x, number, number + 1, INK)


def _exits(axes: Axes, x: float) -> None:
    """The easy sentence on the left of the tower, the hard one on its right."""
    for number in range(1, LAYERS + 1):
        _layer(axes, x, number, BLUE)
    for number in range(LAYERS + 1):
        _up(axes, x + 0.6, number, number + 1, INK)
        if number < LEAVES:
            _up(axes, x - 0.6, number, number + 1, ORANGE)
    y, edge = _height(LEAVES), x + WIDE / 2
    draw_arrow(axes, (edge, y), (edge + 0.75, y), ORANGE)
    axes.text(edge + 0.85, y, t("lightweight.easy"), va="center", fontsize=SMALL, color=ORANGE)
    y = _height(LAYERS) + STEP - 0.12
    axes.text(edge - 0.15, y, t("lightweight.hard"), va="center", fontsize=SMALL, color=INK)


def _cut(axes: Axes, x: float) -> None:
    """The layers that stay are closed up; beside each stands the number that it had."""
    for number, depth in enumerate(KEPT, start=1):
        _layer(axes, x, number, GREEN)
        _up(axes, x, number - 1, number, INK)
        words = f"← {depth}"
        axes.text(x + WIDE / 2 + 0.12, _height(number), words, va="center", fontsize=SMALL, color=GREEN)
    start = _height(len(KEPT)) + HIGH / 2
    draw_arrow(axes, (x, start), (x, start + 0.55), INK)
