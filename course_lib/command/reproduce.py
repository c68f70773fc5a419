"""`course reproduce`: everything that is shipped, trained again."""

from typing import Annotated

import typer
from rich.table import Table

from course_lib.command.common import clear_errors, console


@clear_errors
def reproduce(
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
) -> None:
    """Train everything that the course ships again, from nothing; says first how long it takes.

    The times are those of the run records; another machine takes longer or shorter.
    """
    from course_lib.training import run
    from course_lib.training.recipes import read_recipe

    names = run.reproduce_order()
    found = {name: run.recorded_minutes(read_recipe(name)) for name in names}
    table = Table("recipe", "trains", "took")
    for name in names:
        table.add_row(name, read_recipe(name)["stage"], time_taken(found[name]))
    console.print(table)
    hours = sum(minutes for minutes, _ in filter(None, found.values())) / 60
    guessed = any(not complete for _, complete in filter(None, found.values()))
    how_sure = "at least " if None in found.values() else "about " if guessed else ""
    console.print(
        f"{how_sure}{hours:.1f} hours in all, on the machine of the run records; "
        "it may be interrupted and goes on where it was."
    )
    if not yes and not typer.confirm("Start?"):
        raise typer.Exit(0)
    run.reproduce()


def time_taken(recorded: tuple[float, bool] | None) -> str:
    """What `recorded_minutes` found, in words: a seed without a record makes the figure a guess."""
    if recorded is None:
        return "no record yet"
    minutes, complete = recorded
    return f"{'' if complete else 'about '}{minutes:.0f} minutes"
