"""A folder of your own: which of its files belong to which split."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from course_lib.texts.conversions import SPREADSHEETS
from course_lib.texts.own_files import FORMATS, read_table

WORDS = {  # in a file's name, or in that of the folder that holds it
    **dict.fromkeys(("train", "training", "训练"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "验证"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "测试"), "test"),
}
CHINESE = "|".join(word for word in WORDS if not word.isascii())
HUB_SAVED = ("dataset_dict.json", "state.json")  # what `save_to_disk` leaves; its files are no texts


def files_by_split(folder: Path, wanted: Sequence[str]) -> dict[str, list[Path]]:
    """The files of each split, by their names; all are train if no name tells.

    Those in the folder itself, or else those one folder further down. Empty where the code of the hub must
    read: no such folder, one with a data card that says how, one that `save_to_disk` wrote.

    Args:
        wanted: the names of the text and the label column, for the advice on files of other formats.

    Raises:
        ValueError: a split lies there in several formats or folders, or all files are of other formats.
    """
    if not folder.is_dir() or _has_card(folder) or any((folder / name).exists() for name in HUB_SAVED):
        return {}
    readable = _with_suffix(folder, FORMATS)
    if not readable:
        for path in _with_suffix(folder, (".txt", *SPREADSHEETS)):
            read_table(path, wanted)  # raises, and says how the file becomes readable
    splits: dict[str, list[Path]] = {}
    for path in readable:
        if split := _split_of(path.relative_to(folder)):
            splits.setdefault(split, []).append(path)
    splits = splits or ({"train": readable} if readable else {})
    for split, files in splits.items():
        if len({(path.parent, path.suffix.lower()) for path in files}) > 1:
            names = ", ".join(str(path.relative_to(folder)) for path in files[:5])
            raise ValueError(
                f"{folder} holds the {split} split in several ways ({names}); name one file, or leave only "
                "one kind there"
            )
    return splits


def _has_card(folder: Path) -> bool:
    card = folder / "README.md"
    return card.is_file() and card.read_bytes().startswith(b"---")


def _with_suffix(folder: Path, suffixes: Collection[str]) -> list[Path]:
    for files in (
        folder.iterdir(),
        (file for inner in folder.iterdir() if inner.is_dir() for file in inner.iterdir()),
    ):
        found = [path for path in files if path.suffix.lower() in suffixes and path.name[0] not in ".~"]
        if found := sorted(path for path in found if path.is_file()):
            return found
    return []


def _split_of(path: Path) -> str | None:
    """By the last word that tells: "train/part-1.csv", "test1.0.json", "data/dev-00000-of-00001.parquet"."""
    words = re.findall(f"[a-z]+|{CHINESE}", str(path.with_suffix("")).lower())
    return next((WORDS[word] for word in reversed(words) if word in WORDS), None)
