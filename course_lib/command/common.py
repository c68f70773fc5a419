"""What the commands share: options, tables, and errors in one sentence."""

import functools
import json
import math
import sys
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

console = Console()

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Model = Annotated[
    str,
    typer.Option(
        "--model", help="A checkpoint of the course (reviews-fastbert, worlds-fastbert) or a folder."
    ),
]
SpeedText = Annotated[
    str,
    typer.Option(
        "--speed",
        help="The uncertainty below which a sentence leaves, 0 to 1. 0 = all layers. It is a threshold, not "
        "a per cent of time. Or one number for each student exit, with commas.",
    ),
]
Measure = Annotated[
    Literal["entropy", "max_probability", "top_k_entropy"],
    typer.Option("--measure", help="How uncertainty is measured; entropy is the paper's."),
]


def clear_errors(command):
    """Bad input becomes one sentence on stderr and exit code 2, never a traceback."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (ValueError, FileNotFoundError, OSError) as error:
            message = f"[red]error:[/red] {escape(str(error))}"
            Console(stderr=True).print(message, highlight=False, soft_wrap=True)
            raise typer.Exit(2) from None

    return wrapped


def with_deviation(value: list[float], percent: bool = False) -> str:
    """[mean, standard deviation] -> "86.10 ± 0.20"; a single seed has no deviation."""
    mean, deviation = (100 * number if percent else number for number in value)
    spread = "" if math.isnan(deviation) else f" ± {deviation:.2f}"
    return f"{mean:.2f}{spread}" + (" %" if percent else "")


def parse_speed(text: str) -> float | list[float]:
    """ "0.5" -> 0.5, "0.2,0.4,…" -> a list; whether they lie in [0, 1] is checked where they are used."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"speed is a number in [0, 1], or several with commas, not {text!r}") from None
    return numbers[0] if len(numbers) == 1 else numbers


def parse_numbers(text: str, what: str) -> list[int]:
    """ "1,8,32" -> [1, 8, 32]."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f"{what} are whole numbers above 0, with commas, not {text!r}")
    return [int(part) for part in parts]


def in_order_of(known: list[str], rows, model: str, data: str):
    """Rows whose labels are numbered as the model numbers its classes.

    Args:
        known: the model's class names, in the order of their numbers.
        rows: a Dataset whose labels have these names, or are the numbers themselves.
    """
    from course_lib.texts.shape import renumber

    names, numbers = rows.features["label"].names, [str(number) for number in range(len(known))]
    for order in (known, numbers):
        if set(names) == set(order):
            return renumber(rows, order)
    raise ValueError(f"{model} knows the classes {', '.join(known)}, but {data} has {', '.join(names)}")


def print_json(value) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
