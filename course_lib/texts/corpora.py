"""The corpora by name: the course's own, a file or folder of yours, or a data set of the hub."""

from pathlib import Path

from datasets import Dataset, DatasetDict, concatenate_datasets

from course_lib.texts.idiom_questions import idioms
from course_lib.texts.law_documents import law_documents
from course_lib.texts.laws import laws
from course_lib.texts.news import news
from course_lib.texts.own_files import FORMATS
from course_lib.texts.own_texts import all_rows, from_files, from_hub
from course_lib.texts.poems import poems
from course_lib.texts.reviews import reviews
from course_lib.texts.shape import SPLITS
from course_lib.texts.world_questions import world_questions
from course_lib.texts.worlds import worlds

CORPORA = {
    "reviews": reviews,
    "laws": laws,
    "law-documents": law_documents,
    "news": news,
    "idioms": idioms,
    "worlds": worlds,
    "world-questions": world_questions,
}
UNLABELLED = {"poems": poems}  # to write on from, and with no class to guess


def load_corpus(name: str, **columns: str) -> DatasetDict:
    """One of the course's `CORPORA`, a file or folder of your own, or a data set of the hub.

    Args:
        columns: `text` and `label`, the names of the two columns in data of your own; of pairs also
            `text_pair`, where their columns have other names than `pair_layouts` knows.

    Raises:
        FileNotFoundError, ValueError: as `from_files` and `from_hub`; ValueError also for columns of the
            course's own corpora.
    """
    if name in CORPORA:
        if columns:
            raise ValueError(f"{name} is a corpus of the course: leave out {' and '.join(columns)}")
        return CORPORA[name]()
    return from_files(name, **columns) if _is_file(name) else from_hub(name, **columns)


def load_split(name: str, split: str, **columns: str) -> tuple[Dataset, int]:
    """One split of a corpus, or "all" of it; and how many rows the corpus has in all splits together.

    Raises:
        FileNotFoundError, ValueError: as `load_corpus`; ValueError also for another split. "All" of a file
            is read as it is, so a file that is too short for three splits will do.
    """
    if split not in (*SPLITS, "all"):
        raise ValueError(f"split must be one of {', '.join(SPLITS)} or all, not {split!r}")
    if split == "all" and name not in CORPORA and _is_file(name):
        rows = all_rows(name, **columns)
        return rows, len(rows)
    corpus = load_corpus(name, **columns)
    total = sum(len(rows) for rows in corpus.values())
    return (concatenate_datasets(list(corpus.values())) if split == "all" else corpus[split]), total


def _is_file(name: str) -> bool:
    return Path(name).is_file() or (Path(name).suffix.lower() in FORMATS and not Path(name).is_dir())
