"""Which column holds the texts, which the labels: names compared loosely, and a hint where one is missing."""

import shlex
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from course_lib.texts.shape import canonical

LIKELY = {  # what others call the columns, in the order in which a hint prefers them
    "text": "text sentence review content comment headline title tweet utterance question body "
    "文本 句子 评论 评价 内容 正文 标题 评论内容 text_a sentence1",
    "text_pair": "text_pair passage text_b sentence2 question2 hypothesis answer context paragraph document "
    "段落 答案 回答 句子2 文本2 文章",
    "label": "label labels sentiment class category target polarity rating stars star score intent cat topic "
    "标签 情感 类别 分类 情感倾向 评分 星级 label_desc",
}


def find_column(names: Iterable[str], wanted: str) -> str | None:
    """The name that is `wanted`, or else the only one that differs from it in case, width or blanks."""
    names = list(names)
    if wanted in names:
        return wanted
    alike = [name for name in names if canonical(name) == canonical(wanted)]
    return alike[0] if len(alike) == 1 else None


def count_found(names: Iterable[str], wanted: Sequence[str]) -> int:
    """How many of the wanted columns are there."""
    names = list(names)
    return sum(find_column(names, each) is not None for each in wanted)


def missing_columns(names: Iterable[str], wanted: dict[str, str], origin: str) -> ValueError | None:
    """What to say where columns are missing, with the likely ones; None where all are there.

    Args:
        wanted: the columns as they were asked for, by their parts: {"text": …, "label": …}.
    """
    names = list(names)
    missing = {part: name for part, name in wanted.items() if find_column(names, name) is None}
    if not missing:
        return None
    taken = {find_column(names, name) for name in wanted.values()}
    free = [name for name in names if name not in taken]
    guesses = {part: _guess(free, part, name) for part, name in missing.items()}
    guesses = {part: guess for part, guess in guesses.items() if guess}
    if guesses:
        options = " ".join(f"--{_dashed(part)} {shlex.quote(guess)}" for part, guess in guesses.items())
        arguments = ", ".join(f"{part}={guess!r}" for part, guess in guesses.items())
        hint = f"did you mean {options} (in Python: {arguments})?"
    else:
        options = " and ".join(f"--{_dashed(part)} NAME" for part in missing)
        hint = f"say which it is with {options}, or rename it in the file"
    which = f"column{'s' if len(missing) > 1 else ''} {' and '.join(map(repr, missing.values()))}"
    has = ", ".join(name if len(name) < 30 else f"{name[:30]}…" for name in names[:20])
    return ValueError(f"{origin} has no {which}; it has: {has}; {hint}")


def _dashed(part: str) -> str:
    return part.replace("_", "-")


def _guess(names: list[str], part: str, wanted: str) -> str | None:
    known = {canonical(name): name for name in reversed(names)}
    likely = [known[each] for each in LIKELY[part].split() if each in known]
    near = get_close_matches(canonical(wanted), known, n=1)
    if wanted != part and near:
        return known[near[0]]
    return likely[0] if likely else known[near[0]] if near else None
