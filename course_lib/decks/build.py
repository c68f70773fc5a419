"""Building the decks, and whether what was built is still what the sources give.

What comes out, in slides/built (never edited by hand): `fastbert-en.html` and `.pdf`, `fastbert-zh.html` and
`.pdf`, and so on, which are committed; and for those who want to change slides in PowerPoint, `.pptx`.

HTML and PDF carry a digest: of every word, number and table on the slides, the sliders' data, and the files
that give them their looks. So a deck is out of date exactly if it would be built otherwise.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from course_lib import style
from course_lib.decks import live, pictures, powerpoint, web
from course_lib.decks.filled import FilledDeck, fill
from course_lib.decks.paper import pdf, pdf_digest
from course_lib.decks.source import read_deck
from course_lib.paths import ROOT
from course_lib.words import LANGUAGES

SLIDES = ROOT / "slides"
BUILT = SLIDES / "built"
KINDS = ("html", "pdf", "pptx")
COMMITTED = ("html", "pdf")
LOOKS = (style, live, pictures, web)  # modules that decide how a slide looks


def sources(only: str | None = None) -> list[Path]:
    """All decks, or the one of that name.

    Raises:
        ValueError: there is no such deck.
    """
    found = sorted(SLIDES.glob("*.md"))
    chosen = [path for path in found if only in (None, path.stem)]
    if not chosen:
        raise ValueError(f"no deck {only!r}; there are: {', '.join(path.stem for path in found)}")
    return chosen


def build(
    only: str | None = None,
    languages: Iterable[str] = LANGUAGES,
    kinds: Iterable[str] = KINDS,
    browser: str | None = None,
    folder: Path = BUILT,
) -> list[Path]:
    """Builds decks; returns the files written.

    Args:
        browser: the path of a Chromium, for PDF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sources(only):
        deck = read_deck(path)
        for language in languages:
            filled = fill(deck, language)
            target = folder / f"{path.stem}-{language}"
            written += _write(filled, target, kinds, browser)
    return written


def _write(deck: FilledDeck, target: Path, kinds: Iterable[str], browser: str | None) -> list[Path]:
    page, files = target.with_suffix(".html"), []
    mark = digest(deck)
    if {"html", "pdf"} & set(kinds):
        page.write_text(web.web_page(deck, mark), encoding="utf-8")
        files.append(page)
    if "pdf" in kinds:
        paper = target.with_suffix(".pdf")
        paper.write_bytes(pdf(page, browser, deck.title, mark))
        files.append(paper)
    if "pptx" in kinds:
        slides = target.with_suffix(".pptx")
        powerpoint.write(deck, slides)
        files.append(slides)
    return files


def digest(deck: FilledDeck) -> str:
    """What a built deck was made from, as one number."""
    total = hashlib.sha256()
    said = [deck.title, deck.date, deck.language, [slide.in_words() for slide in deck.slides]]
    total.update(json.dumps(said, ensure_ascii=False).encode())
    for path in [*web.theme_files(), *(Path(module.__file__) for module in LOOKS)]:
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def check(only: str | None = None, folder: Path = BUILT) -> list[str]:
    """What was built from something else than the sources give now; [] if nothing."""
    findings = []
    for path in sources(only):
        deck = read_deck(path)
        for language in LANGUAGES:
            now = digest(fill(deck, language))
            for kind in COMMITTED:
                built = folder / f"{path.stem}-{language}.{kind}"
                if not built.is_file():
                    findings.append(f"{built.name} is missing; run `make slides`")
                elif built_digest(built) != now:
                    findings.append(f"{built.name} is older than its sources; run `make slides`")
    return findings


def built_digest(path: Path) -> str | None:
    """The digest that a built HTML or PDF carries."""
    if path.suffix == ".pdf":
        return pdf_digest(path)
    found = re.search(r'name="course-digest" content="(\w+)"', path.read_text("utf-8")[:2000])
    return found[1] if found else None
