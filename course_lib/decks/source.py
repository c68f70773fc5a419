"""Reading a deck: one Markdown file for both languages, held to its rules.

    ```deck              first: TOML about the deck (see `Deck`)
    ```
    ```slide             then, slide by slide: TOML (see `Slide`), …
    at = ["FastBERT的架构与创新点", "分层分类器"]
    show = "fastbert figure 5"
    minutes = 2
    ```
    ::: en               … what stands on it, and what the presenter says, in both languages
    ## A title that says the message as a sentence
    - a point
    :::
    ::: zh
    :::
    ::: notes-en         paragraphs that begin with "Say:", "Ask:" and "Usual wrong answer:"
    :::
    ::: notes-zh         the same: "讲：", "问：", "常见的错误回答："
    :::

A quotation (`> …`) is a sentence of the outline that the slide corrects. `{{name:format}}` is filled from
data (`facts.py`, or the deck's own [published]); no measured number is typed. `$…$` is a formula.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from course_lib.words import LANGUAGES

NOTES = {  # what every slide's notes say, by how the paragraph begins
    "en": {"Say:": "say", "Ask:": "ask", "Usual wrong answer:": "wrong"},
    "zh": {"讲：": "say", "问：": "ask", "常见的错误回答：": "wrong"},
}
SHOWS = ("figure", "table", "live")
KINDS = ("title", "contents", "points", "references")
FIELDS = {"at", "show", "minutes", "kind"}


class DeckError(ValueError):
    """A deck breaks a rule; the message names file and line."""


@dataclass(frozen=True)
class Shown:
    """What a slide shows beside its text: "fastbert figure 5", "live speed reviews-e5"."""

    kind: str
    what: str  # technique, or the slider
    which: str  # number, or the slider's data

    def __str__(self) -> str:
        words = (self.kind, self.what) if self.kind == "live" else (self.what, self.kind)
        return " ".join((*words, self.which))


@dataclass(frozen=True)
class Slide:
    """One slide, as written.

    Fields:
        line: of its ```slide fence.
        at: the outline's heading that it belongs to, and the sub-heading, in Chinese as in the outline.
        minutes: how long the presenter stays on it.
        kind: one of KINDS; the contents list the deck's sections.
        show: a figure, a table or a slider; None for text alone.
        texts: language -> Markdown; the first line is the title.
        notes: language -> {"say": …, "ask": …, "wrong": …}, Markdown.
    """

    line: int
    at: tuple[str, ...]
    minutes: float
    kind: str
    show: Shown | None
    texts: dict[str, str]
    notes: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Deck:
    """A deck, as written.

    Fields:
        technique: "fastbert" or "layerdrop".
        sections: the outline's headings in order, each with its sub-headings; Chinese -> English.
        subsections: heading -> {sub-heading: English}.
        listed: the headings that the contents number.
        published: placeholder -> the conditions of one row of data/published_results.csv.
    """

    file: str
    technique: str
    date: str
    sections: dict[str, str]
    subsections: dict[str, dict[str, str]]
    listed: tuple[str, ...]
    published: dict[str, dict[str, str]]
    slides: tuple[Slide, ...] = field(default=())


def markdown() -> MarkdownIt:
    """The Markdown of decks: CommonMark with formulas and strikethrough, raw HTML not let through."""
    return MarkdownIt("commonmark", {"html": False, "typographer": False}).use(dollarmath_plugin)


def _blocks() -> MarkdownIt:
    parser = markdown()
    for language in LANGUAGES:
        for name in (language, f"notes-{language}"):
            parser.use(container_plugin, name)
    return parser


def read_deck(path: Path) -> Deck:
    """Reads a deck and holds it to the rules.

    Raises:
        DeckError: a rule is broken; the message says which, in which file and line.
    """
    text = path.read_text("utf-8")
    lines = text.splitlines()
    head, pieces = None, []  # a piece: line, fields, and the blocks by name
    for token in _blocks().parse(text):
        if token.level > 0 or token.map is None or token.nesting < 0:
            continue
        where, name = f"{path.name}:{token.map[0] + 1}", token.info.strip()
        if token.type == "fence" and name == "deck" and head is None and not pieces:
            head = _toml(where, token.content)
        elif token.type == "fence" and name == "slide" and head is not None:
            pieces.append((token.map[0] + 1, _toml(where, token.content), {}))
        elif token.type.startswith("container_") and pieces:
            blocks = pieces[-1][2]
            if name in blocks:
                raise DeckError(f"{where}: a second `::: {name}` in one slide")
            blocks[name] = "\n".join(lines[token.map[0] + 1 : _end(lines, token.map)])
        else:
            first = lines[token.map[0]].strip()
            raise DeckError(f"{where}: outside of any slide's blocks: {first!r}")
    if head is None:
        raise DeckError(f"{path.name}:1: a deck begins with a ```deck fence")
    deck = _head(path.name, head)
    slides = tuple(_slide(deck, *piece) for piece in pieces)
    return Deck(**{**vars(deck), "slides": slides})


def _end(lines: list[str], place: list[int]) -> int:
    """The line of the closing `:::`: some versions of the parser count it in, others do not."""
    last = place[1] - 1
    return last if lines[last].strip() == ":::" else place[1]


def _toml(where: str, content: str) -> dict:
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise DeckError(f"{where}: not TOML: {error}") from None


def _head(file: str, head: dict) -> Deck:
    if missing := {"technique", "date", "outline"} - head.keys():
        raise DeckError(f"{file}:1: the ```deck fence lacks {', '.join(sorted(missing))}")
    outline = head["outline"]
    sections = {heading: words["en"] for heading, words in outline.items()}
    subsections = {heading: words.get("sub", {}) for heading, words in outline.items()}
    listed = tuple(heading for heading, words in outline.items() if words.get("listed", True))
    return Deck(
        file, head["technique"], head["date"], sections, subsections, listed, head.get("published", {})
    )


def _slide(deck: Deck, line: int, fields: dict, blocks: dict[str, str]) -> Slide:
    where = f"{deck.file}:{line}"
    if unknown := fields.keys() - FIELDS:
        raise DeckError(f"{where}: unknown {', '.join(sorted(unknown))}; a slide has {', '.join(FIELDS)}")
    if not isinstance(fields.get("minutes"), int | float) or fields["minutes"] <= 0:
        raise DeckError(f"{where}: a slide needs its minutes, more than 0")
    at = tuple(fields.get("at", ()))
    if not 1 <= len(at) <= 2 or at[0] not in deck.sections:
        raise DeckError(f"{where}: at = {list(at)} is no heading of [outline]")
    if len(at) == 2 and at[1] not in deck.subsections[at[0]]:
        raise DeckError(f"{where}: {at[1]!r} is no sub-heading of {at[0]!r} in [outline]")
    kind = fields.get("kind", "points")
    if kind not in KINDS:
        raise DeckError(f"{where}: kind must be one of {', '.join(KINDS)}, not {kind!r}")
    texts, notes = {}, {}
    for language in LANGUAGES:
        for name in (language, f"notes-{language}"):
            if name not in blocks:
                raise DeckError(f"{where}: this slide has no `::: {name}`")
        texts[language] = _titled(where, language, blocks[language])
        notes[language] = _notes(where, language, blocks[f"notes-{language}"])
    show = _shown(where, fields["show"]) if "show" in fields else None
    return Slide(line, at, fields["minutes"], kind, show, texts, notes)


def _titled(where: str, language: str, text: str) -> str:
    text = text.strip()
    if not text.startswith("## "):
        raise DeckError(f"{where}: `::: {language}` must begin with its title, `## …`")
    return text.removeprefix("## ")


def _notes(where: str, language: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for paragraph in text.strip().split("\n\n"):
        for beginning, name in NOTES[language].items():
            if paragraph.startswith(beginning):
                found[name] = paragraph.removeprefix(beginning).strip()
    if missing := [word for word, name in NOTES[language].items() if not found.get(name)]:
        raise DeckError(f"{where}: `::: notes-{language}` has no paragraph {', '.join(missing)}")
    return found


def _shown(where: str, words: str) -> Shown:
    """ "fastbert figure 5" or "live speed reviews-e5"."""
    parts = words.split()
    if len(parts) == 3 and parts[0] == "live":
        return Shown(*parts)
    if len(parts) == 3 and parts[1] in SHOWS and parts[2].isdigit():
        return Shown(parts[1], parts[0], parts[2])
    raise DeckError(
        f'{where}: show = {words!r}; write "fastbert figure 5", "fastbert table 5" or "live speed DATA"'
    )
