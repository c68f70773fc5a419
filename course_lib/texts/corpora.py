"""The corpora by name: the course's own, a file of yours, or a data set of the hub."""

from pathlib import Path

from datasets import DatasetDict

from course_lib.texts.own_texts import FORMATS, from_files, from_hub
from course_lib.texts.reviews import reviews
from course_lib.texts.worlds import worlds


def load_corpus(name: str) -> DatasetDict:
    """The course's `reviews` or `worlds`, a file of your own, or a data set of the hub (or in its layout).

    Raises:
        FileNotFoundError, ValueError: as `from_files` and `from_hub`.
    """
    if name == "reviews":
        return reviews()
    if name == "worlds":
        return worlds()
    if Path(name).is_file() or Path(name).suffix.lower() in FORMATS:
        return from_files(name)
    return from_hub(name)
