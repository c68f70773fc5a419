"""FastBERT in one picture: layers with an exit each, and the sentence that leaves before the top."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.style import BLUE, GREEN, INK, ORANGE, describe, new_figure
from course_lib.words import t

PALE = "#d9d9d9"  # what this sentence never computes
LARGE, SMALL = 17, 14  # points: to be read from the last row
ROWS = {"1": 1.5, "2": 2.75, "3": 4.0, "…": 4.85, "L": 5.7}  # the middle of each layer
LEAVES = "2"


def fastbert_schematic() -> Figure:
    """Tokens below, layers in the middle, exits beside them: students, and the teacher on top.

    Nothing in it is measured: it shows who asks whom, in training and when a sentence is answered.
    """
    figure, axes = new_figure(width=9.0, height=5.4)
    axes.set(xlim=(0, 14.2), ylim=(0, 6.25))
    axes.axis("off")

    _tokens(axes)
    for name, y in ROWS.items():
        if name == "…":
            axes.text(2.9, y, "⋮", ha="center", va="center", fontsize=LARGE, color="#999999")
            axes.text(7.6, y, "⋮", ha="center", va="center", fontsize=LARGE, color="#999999")
        else:
            _row(axes, name, y)
    below = 0.75
    for name in ("1", LEAVES):  # the way of the sentence
        _arrow(axes, (2.9, below), (2.9, ROWS[name] - 0.42), ORANGE)
        below = ROWS[name] + 0.42
    _lesson(axes)
    _verdicts(axes)

    title = t("figure.fastbert_schematic")
    axes.set_title(title, fontsize=LARGE)
    return describe(figure, f"{title}{t('figure.fastbert_schematic_alt')}")


def _tokens(axes: Axes) -> None:
    """The sentence, token by token, under the first layer."""
    for number, token in enumerate(t("schematic.tokens").split()):
        _box(axes, 0.95 + 1.3 * number, 0.42, 1.2, 0.6, token, "#f2f2f2", "#999999", SMALL)


def _row(axes: Axes, name: str, y: float) -> None:
    """One layer, its exit, and the way from the one to the other."""
    reached, top = name in ("1", LEAVES), name == "L"
    edge = BLUE if reached else PALE
    _box(axes, 2.9, y, 5.1, 0.84, t("schematic.layer", number=name), "white", edge, LARGE, reached)
    color = GREEN if top else BLUE
    label = t("schematic.teacher" if top else "schematic.student", number=name)
    _box(axes, 7.6, y, 2.5, 0.84, label, "white", color if reached or top else PALE, LARGE, reached or top)
    _arrow(axes, (5.5, y), (6.3, y), ORANGE if reached else PALE)


def _lesson(axes: Axes) -> None:
    """In training, the teacher's answers are the students' targets."""
    for name in ("3", LEAVES, "1"):
        axes.annotate(
            "",
            xy=(8.9, ROWS[name] + 0.1),
            xytext=(8.9, ROWS["L"]),
            arrowprops={
                "arrowstyle": "-|>",
                "color": GREEN,
                "linestyle": (0, (4, 3)),
                "linewidth": 1.4,
                "connectionstyle": "arc3,rad=-0.35",
            },
        )
    axes.text(10.4, ROWS["L"] - 0.1, t("schematic.lesson"), va="center", fontsize=SMALL, color=GREEN)


def _verdicts(axes: Axes) -> None:
    """What each exit on the way says, and where the sentence goes."""
    axes.text(10.4, ROWS["1"], t("schematic.unsure"), va="center", fontsize=SMALL, color=INK)
    _arrow(axes, (8.9, ROWS[LEAVES]), (10.2, ROWS[LEAVES]), ORANGE)
    axes.text(10.4, ROWS[LEAVES], t("schematic.sure"), va="center", fontsize=SMALL, color=INK)
    axes.text(10.4, ROWS["3"], t("schematic.spared"), va="center", fontsize=SMALL, color="#777777")


def _box(axes, x, y, width, height, text, fill, edge, size, strong=False) -> None:
    """A rounded box around (x, y) with its text in the middle."""
    corner = (x - width / 2 + 0.08, y - height / 2 + 0.08)
    patch = FancyBboxPatch(
        corner,
        width - 0.16,
        height - 0.16,
        boxstyle="round,pad=0.08",
        facecolor=fill,
        edgecolor=edge,
        linewidth=2.2 if strong else 1.4,
    )
    axes.add_patch(patch)
    color = INK if strong or fill != "white" else "#999999"
    axes.text(x, y, text, ha="center", va="center", fontsize=size, color=color)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 2.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
