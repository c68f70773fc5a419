"""`course slides`: the decks, from their sources."""

from typing import Annotated

import typer

from course_lib.command.common import clear_errors, console
from course_lib.command.examination import find_browser


@clear_errors
def slides(
    only: Annotated[str | None, typer.Argument(help="One deck: fastbert or layerdrop.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the built decks follow.")] = False,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="html, pdf or pptx; all three if not given.")
    ] = None,
) -> None:
    """Make the decks (HTML, PDF, PowerPoint; English and Chinese) from slides/*.md, without the network."""
    from course_lib.decks import build

    if check:
        drift = build.check(only)
        for line in drift:
            console.print(line)
        raise typer.Exit(1 if drift else 0)
    for path in build.build(only, kinds=kind or build.KINDS, browser=find_browser()):
        console.print(f"built {path}")
