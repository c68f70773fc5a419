"""Rows of one's own that tests of files and folders share."""

import csv
from pathlib import Path

ROWS = [
    (f"{'早餐不错，很喜欢' if number % 2 else '服务太差，后悔了'}{number}号", number % 2)
    for number in range(60)
]


def write(path: Path, header: list[str], rows: list[tuple], encoding="utf-8", separator=",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows([header, *rows])
    return path


def named(corpus) -> dict[str, str]:
    """Text -> the name of its class, over all splits."""
    names = corpus["train"].features["label"].names
    return {
        text: names[label]
        for rows in corpus.values()
        for text, label in zip(rows["text"], rows["label"], strict=True)
    }


RIGHT = {text: str(label) for text, label in ROWS}
