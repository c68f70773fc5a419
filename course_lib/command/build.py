"""`course build`: the notebooks, from their sources."""

from typing import Annotated

import typer

from course_lib.command.common import clear_errors, console


@clear_errors
def build(
    only: Annotated[str | None, typer.Argument(help="One lesson, by the start of its name: 03.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the notebooks follow.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Write new times even where nothing else has changed.")
    ] = False,
) -> None:
    """Make the notebooks (English, Chinese, exercises) from notebooks/source."""
    from course_lib.teaching import lessons

    if check:
        drift = lessons.check(only)
        for line in drift:
            console.print(line)
        raise typer.Exit(1 if drift else 0)
    for path in lessons.build(only, fresh):
        console.print(f"built {path}")
