"""The one line that makes a file readable which is none of the formats, or lacks names over its columns."""

import io
import shlex
from collections.abc import Sequence
from pathlib import Path

from course_lib.texts.columns import count_found
from course_lib.texts.encodings import read_utf8

COMPRESSED = {".gz": "gunzip -k", ".bz2": "bunzip2 -k", ".xz": "unxz -k", ".zip": "unzip"}
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".et")


def conversion(path: Path, wanted: Sequence[str]) -> str:
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
    if count_found(header.rstrip("\r\n").split("\t"), wanted):
        return f"its columns stand between tabs, so call it .tsv: cp {name} {_renamed(path, '.tsv')}"
    if count_found(header.rstrip("\r\n").split(","), wanted):
        return f"its columns stand between commas, so call it .csv: cp {name} {_renamed(path, '.csv')}"
    return naming(path, lines, wanted)


def naming(path: Path, lines: list[str], wanted: Sequence[str]) -> str:
    """The line that puts names over two columns, or over the three of pairs.

    The first or last column holds the labels: the one with fewer different cells.
    """
    text, label, *_ = wanted
    for separator, sign, suffix in (("\t", r"\t", ".tsv"), (",", ",", ".csv")):
        rows = [line.rstrip("\r\n").split(separator) for line in lines if line.strip()]
        if rows and len({len(row) for row in rows}) == 1 and len(rows[0]) in (2, 3):
            different = [len(set(column)) for column in zip(*rows, strict=True)]
            texts = (text,) if len(rows[0]) == 2 else ("text_a", "text_b")
            names = (label, *texts) if different[0] < different[-1] else (*texts, label)
            print_names = f"printf {shlex.quote(sign.join(names) + chr(92) + 'n')}"
            new = _renamed(path, f"-named{suffix}")
            return f"put names over its columns: ({print_names}; cat {shlex.quote(str(path))}) > {new}"
    return (
        f"write one text and its label on each line with a tab between them, {text}, tab, {label} on the "
        "first, and call it .tsv"
    )


def _renamed(path: Path, ending: str) -> str:
    return shlex.quote(str(path.with_name(path.stem + ending)))
