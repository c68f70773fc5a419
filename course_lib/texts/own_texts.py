"""Texts of your own, from a file or a data set of the hub, in the shape of the course's corpora."""

import shlex
import warnings
from collections.abc import Mapping
from pathlib import Path

from datasets import ClassLabel, Dataset, DatasetDict, Value, load_dataset
from datasets.exceptions import DatasetsError

from course_lib.texts.shape import SPLITS, renumber, split_by_hash

FORMATS = {".csv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}  # suffix -> loader
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # with which a UTF-16 file begins


def from_files(path: str | Path, text: str = "text", label: str = "label") -> DatasetDict:
    """A CSV, JSON-lines or Parquet file of your own, in the shape of `reviews()`.

    Args:
        path: the file; its suffix (.csv, .jsonl, .json, .parquet, in any case) tells the format.
        text, label: the names of the two columns. Numbers are taken as words ("0", "1").

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: unknown suffix, wrong encoding, empty or broken file, missing column, an empty cell
            (rows count from 1, without the header), one class only, or too few rows for three splits.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{path.name}: unknown suffix {path.suffix!r}; known: {', '.join(FORMATS)}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    if suffix != ".parquet":
        _check_utf8(path)
    options = {"keep_default_na": False} if suffix == ".csv" else {}  # "NA" may be somebody's text
    loaded = _load(path.name, FORMATS[suffix], data_files=str(path), split="train", **options)
    return _to_course_shape({"train": loaded}, text, label, origin=path.name)


def from_hub(path: str, /, text: str = "text", label: str = "label", **load_options) -> DatasetDict:
    """A data set of the Hugging Face hub, or a local folder in its layout, in the shape of `reviews()`.

    Splits that the data set brings are kept, and their classes numbered as in its training split; a
    missing validation or test split is cut out of the training split by hash. A validation or test split
    whose labels are all kept secret (-1 on the hub) counts as missing, with a warning. `load_options` go
    to `datasets.load_dataset` (`name` chooses among several configurations; `revision`, …).

    Raises:
        ValueError: as `from_files`; also where a split has labels that the training split does not have.
    """
    loaded = _load(path, path, **load_options)
    if isinstance(loaded, Dataset):
        loaded = {"train": loaded}
    if "train" not in loaded:
        raise ValueError(f"{path} has no training split; it has: {', '.join(loaded)}")
    return _to_course_shape(_without_secret_splits(loaded, label, path), text, label, origin=path)


def _check_utf8(path: Path) -> None:
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError as error:
        with path.open("rb") as file:
            encoding = "UTF-16" if file.read(2) in BYTE_ORDER_MARKS else "GB18030"
        new = path.with_name(f"{path.stem}-utf8{path.suffix}")
        command = shlex.join(["iconv", "-f", encoding, "-t", "UTF-8", str(path)])
        raise ValueError(
            f"{path.name} is not UTF-8 (byte {error.start}); convert it: {command} > {shlex.quote(str(new))}"
        ) from None


def _load(origin: str, *arguments, **options) -> Dataset | DatasetDict:
    """`datasets.load_dataset`; what cannot be read is a ValueError that tells the reason."""
    try:
        return load_dataset(*arguments, **options)
    except FileNotFoundError:  # also a data set that the hub does not have: the message is clear
        raise
    except (ValueError, DatasetsError) as error:
        reason = str(error.__cause__ or error).strip()
        raise ValueError(f"{origin} holds no rows that can be read ({reason})") from None


def _without_secret_splits(loaded: Mapping[str, Dataset], label: str, origin: str) -> dict[str, Dataset]:
    """Leaves out validation and test where nobody may know their labels; the caller is warned."""
    kept = dict(loaded)
    for split in ("validation", "test"):
        rows = kept.get(split)
        if rows is None or len(rows) == 0 or label not in rows.column_names:
            continue
        feature = rows.features[label]
        if isinstance(feature, Value | ClassLabel) and all(_is_secret(cell) for cell in rows[label]):
            warnings.warn(f"{origin}: the {split} split keeps all its labels secret; left out", stacklevel=3)
            del kept[split]
    return kept


def _is_secret(cell) -> bool:
    return cell is None or cell == -1


def _to_course_shape(loaded: Mapping[str, Dataset], text: str, label: str, origin: str) -> DatasetDict:
    brought = [split for split in SPLITS if split in loaded]
    parts = {}
    for split in brought:
        place = f"{origin} ({split})" if len(brought) > 1 else origin
        rows = _two_columns(loaded[split], text, label, place)
        names = (parts["train"] if parts else rows).features["label"].names  # train comes first
        try:
            parts[split] = renumber(rows, names)
        except ValueError as error:
            raise ValueError(f"{place} has labels that its training split has not: {error}") from None
    train = parts["train"]
    if len(set(train["label"])) < 2:
        raise ValueError(f"{origin} holds one class only; a classifier needs at least two")
    missing = [split for split in SPLITS if split not in parts]
    if missing:
        rows = zip(train["text"], train["label"], strict=True)
        parts |= split_by_hash(rows, train.features["label"], ["train", *missing])
    for split, rows in parts.items():
        if len(rows) == 0:
            raise ValueError(f"{origin}: {len(train)} rows are too few, they leave the {split} split empty")
    return DatasetDict({split: parts[split] for split in SPLITS})


def _two_columns(rows: Dataset, text: str, label: str, origin: str) -> Dataset:
    """The columns `text` (string) and `label` (ClassLabel), without an empty cell."""
    if len(rows) == 0:
        raise ValueError(f"{origin} holds no rows")
    for column in (text, label):
        if column not in rows.column_names:
            raise ValueError(f"{origin} has no column {column!r}; it has: {', '.join(rows.column_names)}")
        if not isinstance(rows.features[column], Value | ClassLabel):
            raise ValueError(f"{origin}: column {column!r} must hold words, or numbers, one in each cell")
        for number, cell in enumerate(rows[column], start=1):
            if _is_missing(cell, rows.features[column]):
                raise ValueError(f"{origin}, row {number}: the cell of column {column!r} is empty")
    rows = rows.select_columns([text, label])
    rows = rows.rename_columns({old: new for old, new in ((text, "text"), (label, "label")) if old != new})
    if rows.features["text"] != Value("string"):
        rows = rows.cast_column("text", Value("string"))
    if not isinstance(rows.features["label"], ClassLabel):
        rows = rows.class_encode_column("label")
    return rows


def _is_missing(cell, feature: Value | ClassLabel) -> bool:
    if isinstance(feature, ClassLabel):
        return cell is None or cell < 0  # the hub marks labels that are kept secret with -1
    return cell is None or cell != cell or not str(cell).strip()  # only NaN differs from itself
