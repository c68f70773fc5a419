"""One file of your own, column by column: CSV, TSV, JSON (lines or a list), Parquet.

Files are opened by their exact name, so brackets and stars in it mean nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow
from datasets import ClassLabel, Dataset
from pyarrow import parquet

from course_lib.texts.conversions import conversion
from course_lib.texts.encodings import read_utf8
from course_lib.texts.pair_layouts import flattened
from course_lib.texts.separated import read_separated


class Table(NamedTuple):
    """Columns by their names, and the names of the classes for columns that bring them along."""

    columns: Mapping[str, Sequence]
    classes: Mapping[str, list[str]] = {}


def read_table(path: Path, wanted: Sequence[str]) -> Table:
    """Reads a file by its suffix (in any case), one of `FORMATS`.

    Args:
        wanted: the names of the text and the label column, by which the separator is told.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: unknown suffix, wrong encoding, empty or broken file, no line that names the columns.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name one of its files, or let from_hub read the folder")
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        known, hint = ", ".join(FORMATS), conversion(path, wanted)
        raise ValueError(f"{path.name}: unknown suffix {path.suffix!r}; known: {known}; {hint}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    return FORMATS[suffix](path, wanted)


def table_of(rows: Dataset) -> Table:
    """The columns of a Dataset, which may know the names of its classes."""
    features = rows.features.items()
    classes = {name: feature.names for name, feature in features if isinstance(feature, ClassLabel)}
    return Table({name: rows[name] for name in rows.column_names}, classes)


def _read_separated(path: Path, wanted: Sequence[str]) -> Table:
    return Table(read_separated(path, wanted))


def _read_json(path: Path, _wanted) -> Table:
    """Objects one after the other (JSON lines), in one list, or one object that holds whole columns."""
    text, found, place = read_utf8(path), [], 0
    decoder, blank = json.JSONDecoder(), re.compile(r"\s*")
    try:
        while (place := blank.match(text, place).end()) < len(text):
            each, place = decoder.raw_decode(text, place)
            found.append(each)
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno} is no JSON: {error.msg}"
        raise ValueError(f"{path.name} holds no rows that can be read ({reason})") from None
    if len(found) == 1 and (rows := flattened(found[0])) is not None:
        found = rows
    elif len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    elif len(found) == 1 and _holds_columns(found[0]):
        return Table({name: _in_order(cells) for name, cells in found[0].items()})
    for number, row in enumerate(found, start=1):
        if not isinstance(row, dict):
            raise ValueError(f'{path.name}, row {number} must be an object, {{"text": …, "label": …}}')
    names = dict.fromkeys(name for row in found for name in row)
    return Table({name: [row.get(name) for row in found] for name in names})


def _holds_columns(found: object) -> bool:
    """{"text": ["好", …], …}, or as pandas writes it by itself: {"text": {"0": "好", …}, …}."""
    return isinstance(found, dict) and all(isinstance(cells, list | dict) for cells in found.values())


def _in_order(cells: list | dict) -> list:
    return list(cells.values()) if isinstance(cells, dict) else cells


def _read_parquet(path: Path, _wanted) -> Table:
    try:
        with path.open("rb") as file:
            table = parquet.read_table(file)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path.name} holds no rows that can be read ({error})") from None
    for place, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):  # pandas' categories
            plain = field.with_type(field.type.value_type)
            table = table.set_column(place, plain, table.column(place).cast(plain.type))
    return table_of(Dataset(table))


FORMATS = {  # suffix -> its reader
    ".csv": _read_separated,
    ".tsv": _read_separated,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
