"""The corpora by name: the course's own, a file of yours, or a data set of the hub."""

from pathlib import Path

from datasets import DatasetDict

from course_lib.texts.laws import laws
from course_lib.texts.news import news
from course_lib.texts.own_texts import FORMATS, from_files, from_hub
from course_lib.texts.reviews import reviews
from course_lib.texts.worlds import worlds

CORPORA = {"reviews": reviews, "laws": laws, "news": news, "worlds": worlds}


def load_corpus(name: str) -> DatasetDict:
    """One of the course's `CORPORA`, a file of your own, or a data set of the hub (or in its layout).

    Raises:
        FileNotFoundError, ValueError: as `from_files` and `from_hub`.
    """
    if name in CORPORA:
        return CORPORA[name]()
    if Path(name).is_file() or Path(name).suffix.lower() in FORMATS:
        return from_files(name)
    return from_hub(name)
