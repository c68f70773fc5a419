"""`course doctor`: what is wrong on this machine, and the command that mends it."""

from dataclasses import asdict
from typing import Annotated

import typer

from course_lib.command.common import Json, clear_errors, console, print_json
from course_lib.command.examination import checks, render


@clear_errors
def doctor(
    network: Annotated[bool, typer.Option("--network", help="Also ask whether the hub answers.")] = False,
    as_json: Json = False,
) -> None:
    """Check this machine: OK or FAIL for each part, and the command that mends it."""
    found = checks(network=network)
    if as_json:
        print_json([asdict(check) for check in found])
    else:
        console.print(render(found))
    raise typer.Exit(1 if any(check.ok is False for check in found) else 0)
