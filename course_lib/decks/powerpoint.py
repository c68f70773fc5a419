"""A deck as PowerPoint: real text boxes and tables that can be edited, notes, pictures for figures.

Each run names an East Asian font beside the Latin one; else PowerPoint picks whichever it finds for Chinese.
Sliders become a still at their start, formulas pictures.
"""

import io
from pathlib import Path

import pandas as pd
from markdown_it.token import Token
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR
from pptx.oxml.ns import qn
from pptx.slide import Slide
from pptx.text.text import TextFrame, _Paragraph, _Run
from pptx.util import Emu, Inches, Pt

from course_lib import words
from course_lib.decks.filled import FilledDeck, FilledSlide
from course_lib.decks.pictures import formula_png, slide_png
from course_lib.decks.source import markdown
from course_lib.decks.stills import still
from course_lib.words import catalogue

PIXEL = 9525  # English Metric Units; the slide is 1280 x 720
LATIN, EAST_ASIAN = "Arial", "Microsoft YaHei"
INK, PALE, BLUE, ORANGE = (RGBColor.from_string(each) for each in ("333333", "767676", "0173B2", "9A6200"))
TITLE, TEXT = Pt(32), Pt(24)
LEFT, WIDE, TOP = 40, 1200, 22  # pixels
LINE = 40  # pixels that a line of text takes


def write(deck: FilledDeck, path: Path) -> None:
    """Writes the PPTX."""
    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Emu(1280 * PIXEL), Emu(720 * PIXEL)
    presentation.core_properties.title = deck.title
    blank = presentation.slide_layouts[6]
    with words.spoken(deck.language):  # stills are drawn here
        for filled in deck.slides:
            _slide(presentation.slides.add_slide(blank), filled, deck.language)
    presentation.save(path)


def _slide(slide: Slide, filled: FilledSlide, language: str) -> None:
    y = 240 if filled.kind == "title" else TOP
    if filled.over:
        _write(_box(slide, y, 44), filled.over, language, PALE)
        y += 44
    lines = 2 if _width(filled.title) > 52 else 1
    _write(_box(slide, y, 56 * lines), filled.title, language, INK, TITLE, bold=True)
    y += 56 * lines + 8
    if filled.items:
        y = _items(slide, y, filled.items)
    if filled.body:
        y = _body(slide, y, filled.body, language)
    room = 700 - y
    if filled.figure is not None:
        _picture(slide, slide_png(filled.figure), y, room, str(filled.figure.get_label()))
    if filled.live is not None:
        figure = still(filled.live)
        _picture(slide, slide_png(figure), y, room, str(figure.get_label()))
    if filled.table is not None:
        _table(slide, filled.table, y)
    notes = slide.notes_slide.notes_text_frame
    for number, (name, text) in enumerate(filled.notes.items()):
        paragraph = notes.paragraphs[0] if number == 0 else notes.add_paragraph()
        minutes = f"{filled.minutes:g} min · " if name == "say" else ""
        _run(paragraph, f"{minutes}{catalogue()[f'deck.{name}'][language]} ", bold=True)
        _inline(paragraph, text, None)


def _box(slide: Slide, y: float, height: float) -> TextFrame:
    box = slide.shapes.add_textbox(
        Emu(LEFT * PIXEL), Emu(int(y * PIXEL)), Emu(WIDE * PIXEL), Emu(int(height * PIXEL))
    )
    frame = box.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    return frame


def _write(
    frame: TextFrame, text: str, language: str, color: RGBColor, size=TEXT, bold: bool = False
) -> None:
    _inline(frame.paragraphs[0], text, size, color, bold)


def _items(slide: Slide, y: float, items: tuple[str, ...]) -> float:
    """The contents, in two columns."""
    half = -(-len(items) // 2)
    for column, part in enumerate((items[:half], items[half:])):
        frame = _box(slide, y + 16, 76 * half)
        box = frame._parent
        box.left, box.width = Emu((LEFT + column * 610) * PIXEL), Emu(590 * PIXEL)
        for number, item in enumerate(part):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.space_after = Pt(16)
            _run(paragraph, f"{column * half + number + 1}. {item}", TEXT, INK)
    return y + 76 * half


def _body(slide: Slide, y: float, body: str, language: str) -> float:
    """Paragraphs, lists and quotations in one box after the other; returns where the next thing may stand."""
    frame, quoted, depth, number = None, False, 0, None
    for token in markdown().parse(body):
        if token.type == "math_block":
            png = formula_png(token.content.strip())
            _picture(slide, png, y, 92, token.content.strip())
            y, frame = y + 100, None
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            depth, number = depth + 1, 1 if token.type.startswith("ordered") else None
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.type.startswith("blockquote"):
            quoted = token.nesting > 0
        elif token.type == "inline":
            lines = -(-_width(_plain(token)) // 66) if _width(_plain(token)) else 1
            frame = _box(slide, y, LINE * lines)
            paragraph = frame.paragraphs[0]
            if quoted:
                _run(paragraph, catalogue()["deck.outline_says"][language], TEXT, ORANGE, bold=True)
            elif depth:
                _run(paragraph, f"{number}. " if number else "• ", TEXT, BLUE)
                number = number + 1 if number else None
            _tokens(paragraph, token.children or [], TEXT, INK, False)
            y += LINE * lines + 10
    return y


def _picture(slide: Slide, png: bytes, y: float, room: float, alt: str) -> None:
    """As large as the place allows, in the middle; the alternative text goes with it."""
    picture = slide.shapes.add_picture(io.BytesIO(png), 0, 0)
    scale = min(WIDE * PIXEL / picture.width, room * PIXEL / picture.height)
    picture.width, picture.height = int(picture.width * scale), int(picture.height * scale)
    picture.left, picture.top = int((1280 * PIXEL - picture.width) / 2), Emu(int(y * PIXEL))
    picture._element.nvPicPr.cNvPr.set("descr", alt)


def _table(slide: Slide, table: pd.DataFrame, y: float) -> None:
    columns = [str(table.index.name or table.columns.name or ""), *map(str, table.columns)]
    rows = [[str(index), *map(str, row)] for index, row in zip(table.index, table.to_numpy(), strict=True)]
    widest = [max(_width(row[place]) for row in [columns, *rows]) + 2 for place in range(len(columns))]
    widest = [min(each, 40) for each in widest]
    shape = slide.shapes.add_table(
        len(rows) + 1,
        len(columns),
        Emu(LEFT * PIXEL),
        Emu(int(y * PIXEL)),
        Emu(WIDE * PIXEL),
        Emu(48 * PIXEL),
    )
    for place, column in enumerate(shape.table.columns):
        column.width = Emu(int(WIDE * PIXEL * widest[place] / sum(widest)))
    for line, row in enumerate([columns, *rows]):
        for place, cell_text in enumerate(row):
            cell = shape.table.cell(line, place)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            cell.margin_top = cell.margin_bottom = Inches(0.03)
            _run(cell.text_frame.paragraphs[0], cell_text, TEXT, None if line == 0 else INK, bold=line == 0)


# --- text --------------------------------------------------------------------------------------------


def _inline(
    paragraph: _Paragraph, text: str, size, color: RGBColor | None = None, bold: bool = False
) -> None:
    tokens = markdown().parseInline(text)[0].children or []
    _tokens(paragraph, tokens, size, color, bold)


def _tokens(paragraph: _Paragraph, tokens: list[Token], size, color: RGBColor | None, bold: bool) -> None:
    strong, emphasis = bold, False
    for token in tokens:
        if token.type in ("strong_open", "strong_close"):
            strong = bold or token.nesting > 0
        elif token.type in ("em_open", "em_close"):
            emphasis = token.nesting > 0
        elif token.type in ("softbreak", "hardbreak"):
            _run(paragraph, " ", size, color)
        elif token.content:
            content = _spelt(token.content) if token.type == "math_inline" else token.content
            _run(paragraph, content, size, color, strong, emphasis)


def _run(
    paragraph: _Paragraph,
    text: str,
    size=None,
    color: RGBColor | None = None,
    bold: bool = False,
    italic: bool = False,
) -> _Run:
    run = paragraph.add_run()
    run.text = text
    run.font.name, run.font.bold, run.font.italic = LATIN, bold or None, italic or None
    if size is not None:
        run.font.size = size
    if color is not None:
        run.font.color.rgb = color
    east_asian = run._r.get_or_add_rPr().makeelement(qn("a:ea"), {"typeface": EAST_ASIAN})
    run._r.rPr.find(qn("a:latin")).addnext(east_asian)
    return run


def _spelt(formula: str) -> str:
    """A short formula in a line of text, without its commands."""
    for command, sign in ((r"\Vert", "‖"), (r"\log", "log"), (r"\in", "∈"), ("_{KL}", "_KL"), ("_", "")):
        formula = formula.replace(command, sign)
    return formula


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or [])


def _width(text: str) -> int:
    """How wide text is, in Latin letters: a Chinese character takes two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
