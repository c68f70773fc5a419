"""A figure of the course, as a slide wants it: as wide as the slide, large letters, no title of its own."""

import io

from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from course_lib.style import INK

WIDTH, HEIGHT = 1200, 500  # CSS pixels that a picture may take on a slide of 1280 x 720
CHART = 6.9, 2.9  # inches: letters of 13 points become 24 points at that size on the slide
DOTS = 340  # an inch: twice the slide's pixels
MOST_LETTERS = 20  # of the name of an upright axis, in one line
COLOURS = 96  # a palette makes a picture a third as large, and no line of it looks otherwise


def finding(figure: Figure) -> str:
    """The sentence that the figure states: its title."""
    title = _title(figure)
    if title is None:
        raise ValueError("this figure states no finding: it has no title")
    return title.get_text().replace("\n", " ")


def slide_png(figure: Figure) -> bytes:
    """The figure as PNG, without its title, which the slide says; charts are drawn anew at the slide's shape.

    A schematic (no axis lines) keeps its shape: its words stand where its boxes are.
    """
    title = _title(figure)
    if title is not None:
        title.set_text("")
    if _is_chart(figure):
        figure.set_size_inches(*CHART)
        for axes in figure.axes:
            axes.set_ylabel(_in_two_lines(axes.get_ylabel()))
    buffer = io.BytesIO()
    if _is_chart(figure):
        figure.savefig(buffer, format="png", dpi=DOTS)
    else:
        figure.savefig(buffer, format="png", dpi=DOTS * 0.75, bbox_inches="tight", pad_inches=0.05)
    picture = Image.open(buffer).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    picture.save(packed, format="png", optimize=True)
    return packed.getvalue()


def _in_two_lines(words: str) -> str:
    """A long name of an upright axis, broken near its middle; Chinese breaks anywhere."""
    width = sum(2 if ord(letter) > 0x2E7F else 1 for letter in words)
    if width <= MOST_LETTERS or "\n" in words:
        return words
    middle = len(words) / 2
    if " " in words:
        place = min((at for at, letter in enumerate(words) if letter == " "), key=lambda at: abs(at - middle))
        return f"{words[:place]}\n{words[place + 1 :]}"
    place = round(middle)
    return f"{words[:place]}\n{words[place:]}"


def formula_png(formula: str) -> bytes:
    """A formula as PNG, set by matplotlib: for PowerPoint, which has no KaTeX."""
    figure = Figure(figsize=(8, 1.1), dpi=DOTS)
    figure.text(
        0.5, 0.5, f"${formula}$", ha="center", va="center", fontsize=26, color=INK, math_fontfamily="cm"
    )
    buffer = io.BytesIO()
    figure.savefig(
        buffer, format="png", dpi=DOTS, bbox_inches="tight", pad_inches=0.05, metadata={"Software": None}
    )
    return buffer.getvalue()


def _is_chart(figure: Figure) -> bool:
    return any(axes.axison for axes in figure.axes)


def _title(figure: Figure) -> Text | None:
    """What the figure says above itself: over all panels, or over the first one where its label begins so."""
    if figure.get_suptitle():
        return figure._suptitle  # noqa: SLF001  matplotlib gives no other handle
    for axes in figure.axes:
        text = axes.get_title(loc="left")
        if text and str(figure.get_label()).startswith(text.split("\n")[0]):
            return axes._left_title  # noqa: SLF001
    return None
