"""Tables that say something in words: written in the catalogue, a row a line, `|` between cells."""

import pandas as pd

from course_lib.words import t


def worded(key: str, **values) -> pd.DataFrame:
    """The table under that key in the language in use: the first line names columns, the first cell rows.

    Raises:
        ValueError: a row with another number of cells than the first.
    """
    rows = [[cell.strip() for cell in line.split("|")] for line in t(key, **values).strip().splitlines()]
    head, *body = rows
    for row in body:
        if len(row) != len(head):
            raise ValueError(f"{key}: {len(head)} columns, but {len(row)} cells in {' | '.join(row)!r}")
    return pd.DataFrame([row[1:] for row in body], pd.Index([row[0] for row in body], name=head[0]), head[1:])
