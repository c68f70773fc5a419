"""CSV and TSV, whose every cell is text as it stands there: nothing guesses what a column holds."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from course_lib.texts.columns import count_found, find_column
from course_lib.texts.conversions import naming
from course_lib.texts.encodings import read_utf8
from course_lib.texts.pair_layouts import pair_columns

SEPARATORS = ",;\t|"
FULL_WIDTH = "，；｜、"  # typed in place of a separator; but then texts hold them, too
csv.field_size_limit(2**31 - 1)  # texts may be long
END_OF_FILE = "\0end of file"  # a row of its own, unless a quote mark is still open before it


def read_separated(path: Path, wanted: Sequence[str]) -> dict[str, list[str]]:
    """The columns of a file, by their names.

    Args:
        wanted: the names of the text and the label column (and of second texts), by which the separator is
            told.

    Raises:
        ValueError: wrong encoding, a row longer than the header, a quote mark that is not closed, or no line
            that names the columns.
    """
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
        if name not in columns:  # of two columns of one name, the first
            columns[name] = [row[place] if place < len(row) else "" for row in rows]
    if sign := next((sign for sign in FULL_WIDTH if count_found(",".join(header).split(sign), wanted)), None):
        raise ValueError(
            f"{path.name}: a full-width {sign!r} separates nothing; put ',' or a tab between columns"
        )
    if not count_found(header, wanted) and _is_a_row(columns):
        raise ValueError(f"{path.name}: its first line names no columns; {naming(path, lines, wanted)}")
    _refuse_swallowed_rows(columns, separator, path, wanted)
    return columns


def _refuse_swallowed_rows(
    columns: dict[str, list[str]], separator: str, path: Path, wanted: Sequence[str]
) -> None:
    """A quote mark at the start of a text goes on to the next one, over whole rows, which would be lost."""
    _, label, *_ = wanted
    label = find_column(columns, label)
    first, *second = (find_column(columns, each) for each in (wanted[0], *wanted[2:]))
    texts = [first, *second] if first is not None else pair_columns(columns) or ()
    if label is None or None in texts:
        return
    labels = {*columns[label]} - {""}
    for text in texts:
        for number, cell in enumerate(columns[text], start=1):
            lines = cell.splitlines()
            ends = [line.rpartition(separator)[2] for line in lines[:-1] if separator in line]
            starts = [line.partition(separator)[0] for line in lines[1:] if separator in line]
            if labels & {*ends, *starts}:
                raise ValueError(
                    f"{path.name}, row {number} swallows the rows below it: its text begins with a quote "
                    'mark (") that is not closed; in such a text double each mark, and put one before and '
                    "after it"
                )


def _separator(lines: list[str], path: Path, wanted: Sequence[str]) -> str:
    """The one that finds most of the wanted columns in the first line, or else makes most columns of it."""
    usual_first = sorted(SEPARATORS, key=lambda each: (each == "\t") != (path.suffix.lower() == ".tsv"))

    def fits(separator: str) -> tuple[int, int]:
        header = next((row for row in csv.reader(lines, delimiter=separator) if row), [])
        return count_found(header, wanted), len(header)

    return max(usual_first, key=fits)


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
