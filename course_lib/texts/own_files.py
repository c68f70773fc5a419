"""One file of your own, column by column: CSV, TSV, JSON (lines or a list), Parquet.

Every cell of a CSV or TSV file is text as it stands there: nothing guesses from the first rows what a
column holds. Files are opened by their exact name, so brackets and stars in it mean nothing.
"""

import csv
import io
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow
from datasets import ClassLabel, Dataset
from pyarrow import parquet

from course_lib.texts.columns import find_column
from course_lib.texts.encodings import read_utf8

SEPARATORS = ",;\t|"
COMPRESSED = {".gz": "gunzip -k", ".bz2": "bunzip2 -k", ".xz": "unxz -k", ".zip": "unzip"}
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".et")
FULL_WIDTH = "，；｜、"  # typed in place of a separator; but then texts hold them, too
csv.field_size_limit(2**31 - 1)  # texts may be long
END_OF_FILE = "\0end of file"  # a row of its own, unless a quote mark is still open before it


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
        known, hint = ", ".join(FORMATS), _conversion(path, wanted)
        raise ValueError(f"{path.name}: unknown suffix {path.suffix!r}; known: {known}; {hint}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    return FORMATS[suffix](path, wanted)


def table_of(rows: Dataset) -> Table:
    """The columns of a Dataset, which may know the names of its classes."""
    features = rows.features.items()
    classes = {name: feature.names for name, feature in features if isinstance(feature, ClassLabel)}
    return Table({name: rows[name] for name in rows.column_names}, classes)


# --- CSV and TSV -----------------------------------------------------------------------------------------


def _read_separated(path: Path, wanted: Sequence[str]) -> Table:
    lines = io.StringIO(read_utf8(path), newline="").readlines()
    if lines and re.fullmatch(r"sep=.\s*", lines[0]):  # for Excel
        lines = lines[1:]
    separator = _separator(lines, path, wanted)
    header, *rows = _rows(lines, separator, path) or [[]]
    for number, row in enumerate(rows, start=1):
        if len(row) > len(header):
            mark = "a tab" if separator == "\t" else f"{separator!r}"
            raise ValueError(
                f"{path.name}, row {number} has {len(row)} fields, the header {len(header)}; "
                f"a text with {mark} in it needs quotes around it"
            )
    columns = {}
    for place, name in enumerate(header):
        columns.setdefault(
            name, [row[place] if place < len(row) else "" for row in rows]
        )  # of two, the first
    if sign := next((sign for sign in FULL_WIDTH if _found(",".join(header).split(sign), wanted)), None):
        raise ValueError(
            f"{path.name}: a full-width {sign!r} separates nothing; put ',' or a tab between columns"
        )
    if not _found(header, wanted) and _is_a_row(columns):
        raise ValueError(f"{path.name}: its first line names no columns; {_naming(path, lines, wanted)}")
    return Table(columns)


def _separator(lines: list[str], path: Path, wanted: Sequence[str]) -> str:
    """The one that finds most of the wanted columns in the first line, or else makes most columns of it."""
    usual_first = sorted(SEPARATORS, key=lambda each: (each == "\t") != (path.suffix.lower() == ".tsv"))

    def fits(separator: str) -> tuple[int, int]:
        header = next((row for row in csv.reader(lines, delimiter=separator) if row), [])
        return _found(header, wanted), len(header)

    return max(usual_first, key=fits)


def _found(names: Iterable[str], wanted: Sequence[str]) -> int:
    names = list(names)
    return sum(find_column(names, each) is not None for each in wanted)


def _rows(lines: list[str], separator: str, path: Path) -> list[list[str]]:
    """The rows that are not blank. Between tabs, quote marks are often just quote marks: lines rule there."""
    if separator == "\t":
        rows = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
        if len({len(row) for row in rows}) == 1:
            return [[_unquoted(cell) for cell in row] for row in rows]
    reader = csv.reader([*lines, END_OF_FILE], delimiter=separator)
    rows = [row for row in reader if row]
    if rows.pop() != [END_OF_FILE]:
        raise ValueError(f'{path.name}, row {len(rows)}: a quote mark (") is opened there and never closed')
    return rows


def _unquoted(cell: str) -> str:
    inner = cell[1:-1].replace('""', "")
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner:
        return cell[1:-1].replace('""', '"')
    return cell


def _is_a_row(columns: Mapping[str, list[str]]) -> bool:
    """Whether the names of the columns look like cells: one is a number, or stands in its column again."""
    return any(
        name.strip() and (name.strip().isdecimal() or name in cells) for name, cells in columns.items()
    )


# --- other formats ---------------------------------------------------------------------------------------


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
    if len(found) == 1 and isinstance(found[0], list):
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


# --- what is none of these -------------------------------------------------------------------------------


def _conversion(path: Path, wanted: Sequence[str]) -> str:
    """The one line that makes a file readable here."""
    name, suffix = shlex.quote(str(path)), path.suffix.lower()
    if suffix in COMPRESSED:
        return f"unpack it: {COMPRESSED[suffix]} {name}"
    if suffix in SPREADSHEETS:
        return "save it as “CSV UTF-8” in Excel, WPS or LibreOffice"
    if suffix not in (".txt", ".tab", ".dat", ""):
        return "save it as one of these"
    lines = io.StringIO(read_utf8(path), newline="").readlines()
    header = next((line for line in lines if line.strip()), "")
    if _found(header.rstrip("\r\n").split("\t"), wanted):
        return f"its columns stand between tabs, so call it .tsv: cp {name} {_renamed(path, '.tsv')}"
    if _found(header.rstrip("\r\n").split(","), wanted):
        return f"its columns stand between commas, so call it .csv: cp {name} {_renamed(path, '.csv')}"
    return _naming(path, lines, wanted)


def _naming(path: Path, lines: list[str], wanted: Sequence[str]) -> str:
    """The line that puts names over two columns; the one with fewer different cells holds the labels."""
    text, label = wanted
    for separator, sign, suffix in (("\t", r"\t", ".tsv"), (",", ",", ".csv")):
        rows = [line.rstrip("\r\n").split(separator) for line in lines if line.strip()]
        if rows and all(len(row) == 2 for row in rows):
            first, second = (len(set(column)) for column in zip(*rows, strict=True))
            names = (label, text) if first < second else (text, label)
            print_names = f"printf {shlex.quote(sign.join(names) + chr(92) + 'n')}"
            new = _renamed(path, f"-named{suffix}")
            return f"put names over its columns: ({print_names}; cat {shlex.quote(str(path))}) > {new}"
    return (
        f"write one text and its label on each line with a tab between them, {text}, tab, {label} on the "
        "first, and call it .tsv"
    )


def _renamed(path: Path, ending: str) -> str:
    return shlex.quote(str(path.with_name(path.stem + ending)))


FORMATS = {  # suffix -> its reader
    ".csv": _read_separated,
    ".tsv": _read_separated,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
