"""How every picture of the course looks: one palette that colour-blind readers can tell apart, one font
that has Chinese, one way to show a figure with its alternative text.

The font, Noto Sans SC (SIL Open Font License), comes with the installed `zhplot` package, so no picture
depends on the fonts of a machine.
"""

import importlib.metadata
import io
from functools import lru_cache
from pathlib import Path

import matplotlib
import seaborn
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

FONT = "Noto Sans SC"
PALETTE = seaborn.color_palette("colorblind").as_hex()
BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY = PALETTE
INK = "#333333"
SCALE = 2  # pictures are drawn at twice their shown size, for dense screens
DOTS = 100  # an inch, at the size that is shown
TICKS = 13  # points, the smallest letters: 18 dots as shown, readable from the last row of a class


@lru_cache  # once per process
def apply() -> None:
    """Registers the font and sets matplotlib's defaults; everything in `figures` calls it first."""
    font_manager.fontManager.addfont(font_file())
    seaborn.set_theme(context="notebook", style="whitegrid", palette="colorblind")
    matplotlib.rcParams.update(
        {
            "font.family": [FONT, "DejaVu Sans"],
            "axes.unicode_minus": True,  # the true minus sign; this font has it
            "axes.titlesize": 14,
            "axes.titlelocation": "left",
            "axes.labelsize": 14,
            "axes.edgecolor": "#999999",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": "#e6e6e6",
            "text.color": INK,
            "axes.labelcolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": TICKS,
            "ytick.labelsize": TICKS,
            "legend.fontsize": TICKS,
            "font.size": TICKS,  # of what stands inside a chart
            "legend.frameon": False,
        }
    )


def font_file() -> Path:
    """The Noto Sans SC file inside the installed zhplot package.

    Raises:
        FileNotFoundError: the package, or the file in it, is missing; the message tells the remedy.
    """
    try:
        files = importlib.metadata.files("zhplot") or []
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError(
            "the package zhplot, which carries the font, is missing; `make setup`"
        ) from None
    for file in files:
        if file.name == "NotoSansSC-Regular.ttf" and (path := Path(file.locate())).is_file():
            return path
    raise FileNotFoundError(
        "zhplot carries no NotoSansSC-Regular.ttf; `pip install --force-reinstall zhplot`"
    )


def new_figure(width: float = 9.0, height: float = 4.5, **subplots):
    """A figure of that size (inches at `DOTS` an inch) and its axes, outside pyplot's bookkeeping."""
    apply()
    figure = Figure(figsize=(width, height), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**subplots)


def percent_axis(axis) -> None:
    """Shares as whole per cents, with ticks that are whole."""
    axis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def describe(figure: Figure, alt: str) -> Figure:
    """Gives the figure its alternative text, the sentence for those who can't see it."""
    figure.set_label(alt)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as PNG, `SCALE` times as many dots as shown."""
    buffer = io.BytesIO()
    # Without the Software entry the bytes don't change with matplotlib's version.
    figure.savefig(buffer, format="png", dpi=figure.dpi * SCALE, metadata={"Software": None})
    return buffer.getvalue()


def mime_bundle(figure: Figure) -> tuple[dict, dict]:
    """The figure as Jupyter's (data, metadata): the picture, and its alternative text in both."""
    alt = str(figure.get_label())
    width, height = (round(inches * figure.dpi) for inches in figure.get_size_inches())
    data = {"image/png": png(figure), "text/plain": alt}
    return data, {"image/png": {"alt": alt, "width": width, "height": height}}


def show(figure: Figure) -> None:
    """Displays the figure in a notebook, with its alternative text."""
    from IPython.display import display

    data, metadata = mime_bundle(figure)
    display(data, metadata=metadata, raw=True)
