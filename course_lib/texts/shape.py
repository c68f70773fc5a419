"""The shape of every corpus: a `datasets.DatasetDict` of three splits with the columns `text` and `label`."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

SPLITS = ("train", "validation", "test")


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


def split_by_hash(
    rows: Iterable[tuple[str, int]], label_feature: ClassLabel, splits: Collection[str] = SPLITS
) -> DatasetDict:
    """Deals (text, label) rows out to `splits`, each sorted by hash, so that order says nothing.

    What would belong to a split that is not asked for stays in train.
    """
    parts: dict[str, dict[str, list]] = {split: {"text": [], "label": []} for split in splits}
    for text, label in sorted(rows, key=lambda row: hashlib.sha256(row[0].encode()).hexdigest()):
        part = parts.get(split_of(text), parts["train"])
        part["text"].append(text)
        part["label"].append(label)
    return DatasetDict(
        {
            split: Dataset.from_dict(part, Features(text=Value("string"), label=label_feature))
            for split, part in parts.items()
        }
    )


def renumber(rows: Dataset, names: list[str]) -> Dataset:
    """The same texts and classes; the number of a class is its place in `names`.

    Raises:
        ValueError: the rows have labels that `names` does not have.
    """
    old = rows.features["label"].names
    if old == names:
        return rows
    found = {old[label] for label in set(rows["label"])}
    if unknown := sorted(found - set(names)):
        raise ValueError(f"unknown labels: {', '.join(unknown)}; known: {', '.join(names)}")
    labels = [names.index(old[label]) for label in rows["label"]]
    features = Features(text=Value("string"), label=ClassLabel(names=names))
    return Dataset.from_dict({"text": list(rows["text"]), "label": labels}, features)


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
