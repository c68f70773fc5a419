"""The shape of every corpus: a `datasets.DatasetDict` of three splits with the columns `text` and `label`.

Where a row is a pair of texts, a question and a passage, the second stands in the column `text_pair`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence

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
    rows = list(rows)
    columns = {"text": [text for text, _ in rows], "label": [label for _, label in rows]}
    return deal(columns, columns["text"], Features(text=Value("string"), label=label_feature), splits)


def split_pairs_by_hash(
    rows: Iterable[tuple[str, str, int]],
    label_feature: ClassLabel,
    splits: Collection[str] = SPLITS,
    together: Sequence[str] | None = None,
) -> DatasetDict:
    """The same of (text, text_pair, label) rows: those with the same word in `together` stay in one split.

    Without `together` it is the text of that column which has fewer different ones: a question with all its
    passages, or a passage with all its questions.
    """
    texts, pairs, labels = (list(column) for column in zip(*rows, strict=True))
    if together is None:
        together = min(texts, pairs, key=lambda column: len(set(column)))
    features = Features(text=Value("string"), text_pair=Value("string"), label=label_feature)
    return deal({"text": texts, "text_pair": pairs, "label": labels}, together, features, splits)


def deal(
    columns: dict[str, list],
    together: Sequence[str],
    features: Features,
    splits: Collection[str] = SPLITS,
    choose: Callable[[str], str] = split_of,
) -> DatasetDict:
    """Deals rows out by the hash of their word in `together`; rows with the same word keep their order.

    `choose` says which split a word belongs to.
    """
    order = sorted(range(len(together)), key=lambda row: hashlib.sha256(together[row].encode()).hexdigest())
    parts: dict[str, list[int]] = {split: [] for split in splits}
    for row in order:
        parts.get(choose(together[row]), parts["train"]).append(row)
    return DatasetDict(
        {
            split: Dataset.from_dict(
                {name: [column[row] for row in part] for name, column in columns.items()}, features
            )
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
    kept = [name for name in ("text", "text_pair") if name in rows.column_names]
    features = Features({name: Value("string") for name in kept} | {"label": ClassLabel(names=names)})
    return Dataset.from_dict({name: list(rows[name]) for name in kept} | {"label": labels}, features)


def fingerprint(corpus: DatasetDict | Dataset) -> str:
    """SHA-256 (hex) over every text (or both of a pair) and label in order; run records store it."""
    digest = hashlib.sha256()
    splits = corpus.items() if isinstance(corpus, DatasetDict) else [("train", corpus)]
    for split, rows in splits:
        digest.update(f"<{split}>".encode())
        labels = rows["label"] if "label" in rows.column_names else [""] * len(rows)
        texts = [rows[name] for name in ("text", "text_pair") if name in rows.column_names]
        for *both, label in zip(*texts, labels, strict=True):
            digest.update(("\t".join([*both, str(label)]) + "\n").encode())
    return digest.hexdigest()


def class_names(corpus: DatasetDict) -> list[str]:
    """The names of the classes, in the order of their numbers."""
    return corpus["train"].features["label"].names
