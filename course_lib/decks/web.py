"""A deck as one HTML file: reveal.js, KaTeX, pictures and a font that has its Chinese, all inside."""

import base64
import html
import io
import re
from pathlib import Path

import pandas as pd
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from course_lib.decks.filled import FilledDeck, FilledSlide
from course_lib.decks.pictures import slide_png
from course_lib.decks.source import markdown
from course_lib.paths import ROOT
from course_lib.style import font_file
from course_lib.words import catalogue

SLIDES = ROOT / "slides"
THEME, VENDOR = SLIDES / "theme", SLIDES / "vendor"
STYLES = ("reveal/reset.css", "reveal/reveal.css", "katex/katex.min.css")
SCRIPTS = ("reveal/reveal.js", "reveal/notes.js", "katex/katex.min.js")
NUMBER = re.compile(r"[+−-]?[\d.,]+\s?[%×x]?|–")


def web_page(deck: FilledDeck, digest: str) -> str:
    """The HTML; `digest` is kept in it, so that one sees what it was built from."""
    environment = Environment(loader=FileSystemLoader(THEME), undefined=StrictUndefined, autoescape=True)
    slides = [_slide(slide, deck.language) for slide in deck.slides]
    read = environment.get_template("deck.html.jinja").render
    says = catalogue()["deck.outline_says"][deck.language]
    page = {"deck": deck, "digest": digest, "slides": slides, "says": says, "scripts": Markup(_scripts())}
    letters = set(read(styles="", **page | {"scripts": ""}))
    return read(styles=Markup(_styles(letters)), **page)


def _slide(slide: FilledSlide, language: str) -> dict:
    parser = markdown()
    return {
        "kind": slide.kind,
        "over": slide.over,
        "title": Markup(parser.renderInline(slide.title)),
        "body": Markup(parser.render(slide.body)),
        "contents": slide.items,
        "minutes": slide.minutes,
        "picture": _inside(slide_png(slide.figure), "image/png") if slide.figure else "",
        "alt": str(slide.figure.get_label()) if slide.figure else "",
        "table": Markup(_table(slide.table)) if slide.table is not None else "",
        "live": Markup(slide.live.json.replace("<", "\\u003c")) if slide.live else "",
        "notes": Markup("".join(_note(name, text, slide, language) for name, text in slide.notes.items())),
    }


def _note(name: str, text: str, slide: FilledSlide, language: str) -> str:
    minutes = f"{slide.minutes:g} min · " if name == "say" else ""
    label = html.escape(catalogue()[f"deck.{name}"][language])
    return f"<p><b>{minutes}{label}</b> {markdown().renderInline(text)}</p>"


def _table(table: pd.DataFrame) -> str:
    """Numbers to the right, words to the left; the index is the first column."""
    columns = [str(table.index.name or table.columns.name or ""), *map(str, table.columns)]
    rows = [[str(index), *map(str, row)] for index, row in zip(table.index, table.to_numpy(), strict=True)]
    right = [
        all(NUMBER.fullmatch(row[place]) or not row[place] for row in rows) for place in range(len(columns))
    ]

    def cell(tag: str, place: int, words: str) -> str:
        kind = ' class="number"' if right[place] else ""
        return f"<{tag}{kind}>{html.escape(words)}</{tag}>"

    head = "".join(cell("th", place, words) for place, words in enumerate(columns))
    body = "".join(
        f"<tr>{''.join(cell('td', place, words) for place, words in enumerate(row))}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _styles(letters: set[str]) -> str:
    """All styles; the fonts they name are written into them."""
    vendored = "\n".join((VENDOR / name).read_text("utf-8") for name in STYLES)
    fonts = VENDOR / "katex" / "fonts"

    def face(found: re.Match) -> str:
        """A @font-face with its woff2 inside; without that file, none: a formula that wants it is seen to."""
        path = fonts / re.search(r"fonts/(\w+-\w+)\.woff2", found[0])[1]
        path = path.with_suffix(".woff2")
        if not path.is_file():
            return ""
        source = f"src:url({_inside(path.read_bytes(), 'font/woff2')})"
        return re.sub(r"src:[^}]*", source, found[0])

    vendored = re.sub(r"@font-face{[^}]*}", face, vendored)
    font = f'@font-face{{font-family:"Course Sans";src:url({_inside(_font(letters), "font/woff")})}}'
    return "\n".join([vendored, font, (THEME / "deck.css").read_text("utf-8")])


def _font(letters: set[str]) -> bytes:
    """Noto Sans SC with these letters and those of keyboards, as WOFF: any machine shows the same slide."""
    font = TTFont(font_file(), recalcTimestamp=False)
    options = Options(flavor="woff", layout_features=["kern"], notdef_outline=True)
    cutter = Subsetter(options)
    cutter.populate(unicodes={ord(letter) for letter in letters} | set(range(0x20, 0x7F)))
    cutter.subset(font)
    font.flavor = "woff"
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


def _scripts() -> str:
    files = [*(VENDOR / name for name in SCRIPTS), THEME / "live.js", THEME / "deck.js"]
    return "\n;\n".join(path.read_text("utf-8").replace("</script", "<\\/script") for path in files)


def _inside(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def theme_files() -> list[Path]:
    """Everything beside the deck that the page is made of."""
    return sorted(path for folder in (THEME, VENDOR) for path in folder.rglob("*") if path.is_file())
