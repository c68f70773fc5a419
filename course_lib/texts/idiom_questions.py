"""Which idiom does this explanation explain? Four choices, which overlap of characters does not tell apart.

Each choice is a pair, explanation and idiom, right or wrong: one row. The four rows of a question follow each
other, and the column `question` numbers them. The wrong choices share exactly as many characters with the
explanation as the right one does; and by how rare the shared characters are, the right one is the first,
second, third or last of the four, as a hash decides. Idioms that share more than two characters with their
explanation are left out, also as wrong choices: the two kinds must not differ. What overlap alone reaches is
measured in `overlap.py`.

An idiom belongs to one split, also as a wrong choice: those of the test were never seen in training.
"""

import hashlib
from functools import lru_cache

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from course_lib.texts.idioms import explained_idioms
from course_lib.texts.overlap import rarity_of, shared_characters
from course_lib.texts.shape import split_of

CHOICES = 4
QUESTIONS = {"train": 4000, "validation": 500, "test": 1000}  # at most
MOST_SHARED = 2  # characters; beyond, no other idiom shares as many
POOL = 10_000  # idioms of a split among which wrong choices are looked for


@lru_cache
def idioms() -> DatasetDict:
    """Explanation (`text`), idiom (`text_pair`), `label` (0 wrong, 1 right) and `question` (its number).

    Questions for which no such wrong choices can be found are left out.
    """
    explanations = explained_idioms()
    pools: dict[str, list[str]] = {split: [] for split in QUESTIONS}
    for idiom in sorted(explanations, key=_hash):
        pool = pools[split_of(idiom)]
        if len(pool) < POOL and shared_characters(idiom, explanations[idiom]) <= MOST_SHARED:
            pool.append(idiom)
    return DatasetDict(
        {split: _questions(pools[split], explanations, number) for split, number in QUESTIONS.items()}
    )


def _questions(pool: list[str], explanations: dict[str, str], number: int) -> Dataset:
    """The first `number` questions about a split's idioms for which wrong choices can be found."""
    having = _idioms_by_character(pool)
    own = np.array([shared_characters(idiom, explanations[idiom]) for idiom in pool])
    rarity = rarity_of([*pool, *(explanations[idiom] for idiom in pool)])
    used = np.zeros(len(pool), dtype=int)  # how often an idiom has been a wrong choice
    columns: dict[str, list] = {"text": [], "text_pair": [], "label": [], "question": []}
    asked = 0
    for right, idiom in enumerate(pool):
        if asked == number:
            break
        text = explanations[idiom]
        wrong = _wrong_choices(right, text, having, rarity, own, used)
        if wrong is None:
            continue
        used[wrong] += 1
        for choice in sorted([right, *wrong], key=lambda choice: _hash(f"{text}\t{pool[choice]}")):
            columns["text"].append(text)
            columns["text_pair"].append(pool[choice])
            columns["label"].append(int(choice == right))
            columns["question"].append(asked)
        asked += 1
    features = Features(
        text=Value("string"),
        text_pair=Value("string"),
        label=ClassLabel(names=["wrong", "right"]),
        question=Value("int32"),
    )
    return Dataset.from_dict(columns, features)


def _wrong_choices(
    right: int,
    text: str,
    having: dict[str, np.ndarray],
    rarity: dict[str, float],
    own: np.ndarray,
    used: np.ndarray,
) -> np.ndarray | None:
    """Three idioms of the pool that share as many characters with the text as the right one, or None.

    They also share as many with their own explanations (`own`), so that an idiom alone tells nothing.

    Of such idioms, three must share rarer characters than the right one and three less rare ones; else the
    right one would stand out in the questions that remain. Those used least come first, then the nearest.
    """
    characters = [character for character in set(text) if character in having]
    numbers = np.concatenate([having[character] for character in characters])
    weights = np.concatenate([np.full(len(having[each]), rarity[each]) for each in characters])
    shared = np.bincount(numbers, minlength=len(used))  # [pool], characters
    weight = np.bincount(numbers, weights, minlength=len(used))  # [pool]
    alike = np.flatnonzero((shared == own[right]) & (own == own[right]))
    alike = alike[alike != right]
    if own[right] == 0:  # then all are alike
        return alike[used[alike].argsort(kind="stable")][: CHOICES - 1] if len(alike) >= CHOICES - 1 else None
    gap = weight[alike] - weight[right]
    rarer, commoner = (
        alike[side][np.lexsort((np.abs(gap[side]), used[alike[side]]))][: CHOICES - 1]
        for side in (gap > 1e-9, gap < -1e-9)
    )
    if len(rarer) < CHOICES - 1 or len(commoner) < CHOICES - 1:
        return None
    above = int(_hash(text), 16) % CHOICES
    return np.concatenate([rarer[:above], commoner[: CHOICES - 1 - above]])


def _idioms_by_character(pool: list[str]) -> dict[str, np.ndarray]:
    """Character -> the numbers of the idioms that have it."""
    having: dict[str, list[int]] = {}
    for number, idiom in enumerate(pool):
        for character in set(idiom):
            having.setdefault(character, []).append(number)
    return {character: np.array(numbers) for character, numbers in having.items()}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
