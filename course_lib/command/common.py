"""What the commands share: options, tables, and errors in one sentence."""

import functools
import json
import math
import re
import sys
import warnings
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
Data = Annotated[
    str,
    typer.Option(
        "--data",
        help="reviews, laws, law-documents, news, idioms, worlds or world-questions; "
        "a file of your own (.csv, .tsv, .jsonl, .parquet) with the "
        "columns text and label; a folder with such files, called train, validation and test; or a hub name.",
    ),
]
TextColumn = Annotated[
    str | None, typer.Option("--text", help="The column that holds the texts, if it is not called text.")
]
PairColumn = Annotated[
    str | None,
    typer.Option(
        "--text-pair", help="The column that holds the second text of each row, where texts come in pairs."
    ),
]
LabelColumn = Annotated[
    str | None, typer.Option("--label", help="The column that holds the labels, if it is not called label.")
]
Split = Annotated[
    str,
    typer.Option(
        "--split",
        help="train, validation, test, or all. A file of your own is split by a hash of its texts, test is a "
        "tenth; all takes every row.",
    ),
]
Measure = Annotated[
    Literal["entropy", "max_probability", "top_k_entropy"],
    typer.Option("--measure", help="How uncertainty is measured; entropy is the paper's."),
]


def clear_errors(command):
    """Bad input becomes one sentence on stderr and exit code 2, never a traceback; so does a warning, without
    the code."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: warn(str(message))
            try:
                return command(*args, **kwargs)
            except (ValueError, FileNotFoundError, OSError) as error:
                _to_stderr("[red]error:[/red]", str(error))
                raise typer.Exit(2) from None

    return wrapped


def warn(sentence: str) -> None:
    _to_stderr("[yellow]warning:[/yellow]", sentence)


def _to_stderr(kind: str, sentence: str) -> None:
    Console(stderr=True).print(f"{kind} {escape(sentence)}", highlight=False, soft_wrap=True)


def columns_of(text: str | None, label: str | None, text_pair: str | None = None) -> dict[str, str]:
    """The options --text, --label and --text-pair as `load_corpus` takes them: only what was given."""
    given = {"text": text, "label": label, "text_pair": text_pair}
    return {part: name for part, name in given.items() if name is not None}


def check_pairs(sentence_pairs: bool, given_pairs: bool, model: str, remedy: str) -> None:
    """A model that learned pairs is asked pairs, and one that learned single texts is asked these.

    Raises:
        ValueError: it is the other way round; `remedy` says what to do where the second text is missing.
    """
    if sentence_pairs and not given_pairs:
        raise ValueError(f"{model} answers pairs of texts, a question and a passage: {remedy}")
    if given_pairs and not sentence_pairs:
        raise ValueError(
            f"{model} was trained on single texts, and would read a pair as it never did: give it one text, "
            "or take a model of pairs (one from elsewhere says so by sentence_pairs in its config.json)"
        )


def with_deviation(value: list[float], percent: bool = False) -> str:
    """[mean, standard deviation] -> "86.10 ± 0.20"; a single seed has no deviation."""
    mean, deviation = (100 * number if percent else number for number in value)
    spread = "" if math.isnan(deviation) else f" ± {deviation:.2f}"
    return f"{mean:.2f}{spread}" + (" %" if percent else "")


def parse_speed(text: str) -> float | list[float]:
    """ "0.5" -> 0.5, "0.2,0.4,…" -> a list; whether they lie in [0, 1] is checked where they are used.

    Raises:
        ValueError: not numbers; also "0,5", which may be one number with a decimal comma, or two thresholds.
    """
    if re.fullmatch(r"\s*\d+[,，]\d+\s*", text):
        whole, part = re.split("[,，]", text.strip())
        raise ValueError(
            f"speed {text!r} can be read in two ways: write {whole}.{part}, with a point, or "
            f"{whole}.0,{part}.0 for two thresholds"
        )
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
        rows: a Dataset whose labels have these names (case, width and blanks do not matter), or are the
            numbers themselves.
    """
    from datasets import ClassLabel

    from course_lib.texts.shape import canonical, renumber

    names, numbers = rows.features["label"].names, [str(number) for number in range(len(known))]
    for order in (known, numbers):
        if set(names) == set(order):
            return renumber(rows, order)
    spelled = {canonical(name): name for name in known}
    if sorted(map(canonical, names)) == sorted(spelled):
        spelling = ClassLabel(names=[spelled[canonical(name)] for name in names])
        return renumber(rows.cast_column("label", spelling), known)
    raise ValueError(
        f"{model} knows the classes {', '.join(known)}, but {data} has {', '.join(names)}; name them as the "
        f"model does, or by their numbers from 0, or train on them: course train RECIPE --data {data}"
    )


def print_json(value) -> None:
    """JSON on stdout; with ASCII escapes, which say the same, where stdout cannot encode a character."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=1)
    sys.stdout.write(text + "\n")
