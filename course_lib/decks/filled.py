"""A deck in one language: placeholders replaced by values, figures drawn, tables computed."""

import re
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from course_lib import words
from course_lib.decks.facts import fact
from course_lib.decks.live import LiveData, live_data
from course_lib.decks.pictures import finding
from course_lib.decks.source import Deck, DeckError, Shown, Slide
from course_lib.figures.outline import outline_figure
from course_lib.tables.outline import outline_table
from course_lib.words import t

PLACEHOLDER = re.compile(r"{{([\w.-]+)(?::([^{}]*))?}}")


@dataclass(frozen=True)
class FilledSlide:
    """What stands on one slide, in one language.

    Fields:
        over: the line above the title: where in the outline, or the figure's or table's number and caption.
        title, body: Markdown, filled.
        notes: "say", "ask", "wrong" -> Markdown, filled.
        figure, table, live: what is shown, one of them or none.
        items: of the contents.
    """

    kind: str
    over: str
    title: str
    body: str
    notes: dict[str, str]
    minutes: float
    figure: Figure | None = None
    table: pd.DataFrame | None = None
    live: LiveData | None = None
    items: tuple[str, ...] = ()

    def in_words(self) -> list:
        """All that a reader sees or hears, for the digest: data that change, change it."""
        shown = [
            self.figure.get_label() if self.figure else "",
            self.table.to_csv() if self.table is not None else "",
            self.live.json if self.live else "",
        ]
        return [self.kind, self.over, self.title, self.body, self.notes, self.minutes, self.items, *shown]


@dataclass(frozen=True)
class FilledDeck:
    """A deck in one language; `title` and `subtitle` are the first slide's."""

    technique: str
    language: str
    date: str
    title: str
    subtitle: str
    slides: tuple[FilledSlide, ...]


def fill(deck: Deck, language: str) -> FilledDeck:
    """Draws and computes all that the deck names, in `language`.

    Raises:
        DeckError: an unknown placeholder, or a figure, table or slider that does not exist.
    """
    with words.spoken(language):
        slides = tuple(_filled(deck, slide, language) for slide in deck.slides)
    first = slides[0]
    return FilledDeck(deck.technique, language, deck.date, first.title, first.body.splitlines()[0], slides)


def _filled(deck: Deck, slide: Slide, language: str) -> FilledSlide:
    where = f"{deck.file}:{slide.line}"
    shown = _show(where, slide.show)
    own = {"date": deck.date}
    if "figure" in shown:
        own["finding"] = finding(shown["figure"])

    def filled(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: _value(where, deck, own, found[1], found[2] or ""), text)

    title, _, body = filled(slide.texts[language]).partition("\n")
    notes = {name: filled(text) for name, text in slide.notes[language].items()}
    items = tuple(_sections(deck, language)) if slide.kind == "contents" else ()
    over = _over(deck, slide, language)
    return FilledSlide(
        slide.kind, over, title.strip(), body.strip(), notes, slide.minutes, **shown, items=items
    )


def _show(where: str, show: Shown | None) -> dict:
    if show is None:
        return {}
    makers = {
        "figure": lambda: outline_figure(show.what, int(show.which)),
        "table": lambda: outline_table(show.what, int(show.which)),
        "live": lambda: live_data(show.what, show.which),
    }
    try:
        return {show.kind: makers[show.kind]()}
    except (ValueError, FileNotFoundError) as error:
        raise DeckError(f'{where}: show = "{show}": {error}') from error


def _value(where: str, deck: Deck, own: dict[str, str], name: str, form: str) -> str:
    try:
        value = own[name] if name in own else fact(name, deck.published)
        return format(value, form)
    except (KeyError, ValueError, FileNotFoundError) as error:
        raise DeckError(f"{where}: {{{{{name}}}}}: {error.args[0] if error.args else error}") from error


def _sections(deck: Deck, language: str) -> list[str]:
    """The names of the numbered sections, in the outline's order."""
    return [heading if language == "zh" else deck.sections[heading] for heading in deck.listed]


def _over(deck: Deck, slide: Slide, language: str) -> str:
    """ "3 · Architecture › Exits", or "Figure 5 · …" where one is shown."""
    if slide.show and slide.show.kind != "live":
        show = slide.show
        number = t(f"deck.{show.kind}", number=show.which)
        name = f"{show.what}.{show.kind}{show.which}"
        return f"{number} · {t(f'outline.{name}')}"
    heading, english = slide.at[0], deck.sections[slide.at[0]]
    if slide.kind in ("title", "contents"):
        return ""
    parts = [heading if language == "zh" else english]
    if len(slide.at) == 2:
        parts.append(slide.at[1] if language == "zh" else deck.subsections[heading][slide.at[1]])
    number = f"{deck.listed.index(heading) + 1} · " if heading in deck.listed else ""
    return number + " › ".join(parts)
