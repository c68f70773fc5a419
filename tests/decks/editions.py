"""Both decks, as written and filled in both languages: made once for all tests of this folder."""

import tomllib
from functools import cache
from pathlib import Path

from course_lib.decks.build import sources
from course_lib.decks.filled import FilledDeck, fill
from course_lib.decks.source import Deck, read_deck
from course_lib.words import LANGUAGES

DECKS = [path.stem for path in sources()]
EDITIONS = [(name, language) for name in DECKS for language in LANGUAGES]
OUTLINE = tomllib.loads((Path(__file__).parent / "outline.toml").read_text("utf-8"))


@cache
def written(name: str) -> Deck:
    return read_deck(sources(name)[0])


@cache
def filled(name: str, language: str) -> FilledDeck:
    return fill(written(name), language)
