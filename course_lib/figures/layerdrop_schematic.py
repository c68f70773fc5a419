"""LayerDrop in one picture: two training steps, each with layers left out, and the network cut afterwards."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure
from course_lib.words import t

PALE = "#bbbbbb"  # a layer that does not run in this step
LARGE, SMALL = 17, 15  # points: to be read from the last row
LAYERS = 6
DRAWS = ([True, True, False, True, True, True], [True, False, True, True, False, True])  # layer 1 first
STAY = (1, 3, 5)
STEP = 0.82  # from one layer to the next
WIDE, HIGH = 2.3, 0.56  # of a layer
BESIDE = 1.62  # how far from a layer's middle the skip connection goes round it


def layerdrop_schematic() -> Figure:
    """Three stacks side by side: one draw, another draw, and every other layer, renumbered.

    Nothing in it is measured: it shows what a draw leaves out, and what is taken away for good.
    """
    figure, axes = new_figure(width=9.0, height=5.4)
    axes.set(xlim=(0, 14.4), ylim=(-1.25, 6.0))
    axes.axis("off")
    for x, runs, name in zip((1.9, 7.1), DRAWS, ("one", "other"), strict=True):
        _stack(axes, x, runs)
        _caption(axes, x, t(f"layerdrop.{name}", dropped=_dropped(runs)))
    beside = 1.9 + BESIDE + 0.12, _height(DRAWS[0].index(False) + 1)
    axes.text(*beside, t("layerdrop.skip"), va="center", fontsize=SMALL, color=ORANGE)
    _cut_stack(axes, 12.1)
    _caption(axes, 12.1, t("layerdrop.cut"))
    axes.axvline(9.75, 0.03, 0.97, color="#dddddd", linewidth=1.5)  # training | afterwards

    title = t("figure.layerdrop_schematic")
    axes.set_title(title, fontsize=LARGE)
    words = t(
        "figure.layerdrop_schematic_alt",
        one=_dropped(DRAWS[0]),
        other=_dropped(DRAWS[1]),
        stay=t("list.comma").join(map(str, STAY)),
    )
    return describe(figure, f"{title}{words}")


def _dropped(runs: list[bool]) -> str:
    return t("list.comma").join(str(number) for number, on in enumerate(runs, start=1) if not on)


def _stack(axes: Axes, x: float, runs: list[bool]) -> None:
    """All layers, from the lowest; where one does not run, the state goes round it."""
    below = 0.0  # where the state is
    for number, on in enumerate(runs, start=1):
        y = _height(number)
        _layer(axes, x, y, number, on)
        if on:
            _arrow(axes, (x, below), (x, y - HIGH / 2))
            below = y + HIGH / 2
        else:
            over = y + HIGH / 2 + (STEP - HIGH) / 2
            under = y - HIGH / 2 - (STEP - HIGH) / 2
            way = [(x, below), (x, under), (x + BESIDE, under), (x + BESIDE, over), (x, over)]
            axes.plot(*zip(*way, strict=True), color=ORANGE, linewidth=2.6, solid_capstyle="round")
            below = over
    _arrow(axes, (x, below), (x, _height(LAYERS) + STEP))


def _cut_stack(axes: Axes, x: float) -> None:
    """The layers that stay, closed up; beside each the number that it had."""
    below = 0.0
    for number, depth in enumerate(STAY, start=1):
        y = _height(number)
        _layer(axes, x, y, number, True, GREEN)
        axes.text(x + WIDE / 2 + 0.12, y, f"← {depth}", va="center", fontsize=SMALL, color=GREEN)
        _arrow(axes, (x, below), (x, y - HIGH / 2))
        below = y + HIGH / 2
    _arrow(axes, (x, below), (x, _height(len(STAY)) + STEP))


def _height(number: int) -> float:
    return 0.55 + STEP * (number - 1)


def _layer(axes: Axes, x: float, y: float, number: int, on: bool, color: str = BLUE) -> None:
    """A rounded box: filled where the layer runs, an empty dashed one where it is left out."""
    patch = FancyBboxPatch(
        (x - WIDE / 2 + 0.08, y - HIGH / 2 + 0.08),
        WIDE - 0.16,
        HIGH - 0.16,
        boxstyle="round,pad=0.08",
        facecolor=color if on else "white",
        edgecolor=color if on else PALE,
        linestyle="-" if on else (0, (3, 2)),
        linewidth=1.6,
    )
    axes.add_patch(patch)
    words = t("schematic.layer", number=number)
    axes.text(x, y, words, ha="center", va="center", fontsize=SMALL, color="white" if on else "#777777")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "color": ORANGE, "linewidth": 2.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)


def _caption(axes: Axes, x: float, words: str) -> None:
    axes.text(x, -0.25, words, ha="center", va="top", fontsize=SMALL, linespacing=1.25)
