"""The three stages of a FastBERT in one picture: what each reads, what it trains, what stays as it is."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.figures.boxes import draw_arrow, draw_box
from course_lib.style import BLUE, GREEN, INK, ORANGE, describe, new_figure
from course_lib.words import t

FROZEN = "#d9d9d9"
LARGE, SMALL = 17, 14  # points: to be read from the last row
STAGES = {"pretrain": 2.2, "finetune": 7.2, "distil": 12.2}  # the middle of each column
TRAINS = {"pretrain": ("backbone",), "finetune": ("backbone", "teacher"), "distil": ("students",)}
HAS = {
    "pretrain": ("backbone",),
    "finetune": ("backbone", "teacher"),
    "distil": ("backbone", "teacher", "students"),
}
COLOURS = {"backbone": BLUE, "teacher": GREEN, "students": ORANGE}
SHAPES = {  # from the middle of a column: middle and size of each part
    "backbone": ((-0.85, 2.35), (1.9, 2.7)),
    "teacher": ((1.05, 3.35), (1.6, 0.7)),
    "students": ((1.05, 1.9), (1.6, 1.8)),
}


def stages_schematic() -> Figure:
    """Three columns: coloured parts are trained, grey ones stay as they are.

    Nothing in it is measured: it shows who learns from what.
    """
    figure, axes = new_figure(width=9.0, height=4.7)
    axes.set(xlim=(0, 14.4), ylim=(-1.15, 5.3))
    axes.axis("off")
    for stage, x in STAGES.items():
        _column(axes, stage, x)
    for start, end in ((4.25, 4.85), (9.25, 9.85)):
        draw_arrow(axes, (start, 2.35), (end, 2.35), INK)
    axes.axvline(4.55, 0.6, 0.99, color="#dddddd", linewidth=1.5)
    axes.axvline(4.55, 0.01, 0.48, color="#dddddd", linewidth=1.5)
    title = t("figure.stages_schematic")
    axes.set_title(title, fontsize=LARGE)
    return describe(figure, f"{title}{t('figure.stages_schematic_alt')}")


def _column(axes: Axes, stage: str, x: float) -> None:
    """The stage's name, the network's parts, and what it reads."""
    axes.text(x, 5.25, t(f"stages.name_{stage}"), ha="center", va="top", fontsize=SMALL + 1)
    axes.text(x, 4.6, t(f"stages.paper_{stage}"), ha="center", va="top", fontsize=SMALL, color="#777777")
    for part in HAS[stage]:
        (dx, y), size = SHAPES[part]
        trained = part in TRAINS[stage]
        draw_box(
            axes,
            (x + dx, y),
            size,
            t(f"stages.{part}"),
            edge=COLOURS[part] if trained else FROZEN,
            fill=COLOURS[part] if trained else "#f2f2f2",
            ink="white" if trained else "#777777",
            points=SMALL,
        )
    if stage == "distil":
        draw_arrow(axes, (x + 1.05, 2.98), (x + 1.05, 2.82), GREEN)
    draw_arrow(axes, (x - 0.85, 0.35), (x - 0.85, 0.98), INK)
    axes.text(x, 0.2, t(f"stages.reads_{stage}"), ha="center", va="top", fontsize=SMALL, linespacing=1.3)
