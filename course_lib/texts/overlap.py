"""What can be answered by looking at shared characters alone: the rival of every network that reads pairs.

Explanations repeat characters of what they explain, and so do passages of the question that they answer. A
network that beats nothing but this has not understood anything; so it is measured first.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from datasets import Dataset

Score = Callable[[str, str], float]


def shared_characters(first: str, second: str) -> int:
    """How many different characters stand in both texts."""
    return len(set(first) & set(second))


def longest_shared_run(first: str, second: str) -> int:
    """How long the longest piece is that stands in both texts."""
    return max(
        (
            end - start
            for start in range(len(second))
            for end in range(start + 1, len(second) + 1)
            if second[start:end] in first
        ),
        default=0,
    )


def rarity_of(texts: Sequence[str]) -> dict[str, float]:
    """Character -> log(N / how many of the N texts have it)."""
    counts = Counter(character for text in texts for character in set(text))
    return {character: math.log(len(texts) / count) for character, count in counts.items()}


def rare_shared_characters(texts: Sequence[str]) -> Score:
    """A score that counts rare characters more, by their rarity in `texts`; an unknown one counts most."""
    rarity, most = rarity_of(texts), math.log(len(texts))
    return lambda first, second: sum(rarity.get(each, most) for each in sorted(set(first) & set(second)))


def accuracy_by_overlap(rows: Dataset, score: Score = shared_characters) -> float:
    """How often the choice with the highest score is the right one, over the questions of `rows`.

    Choices with equal scores share the chance to be taken, so a score that says nothing is right once in as
    many times as there are choices. `rows` has the columns text, text_pair, label (1 = right) and question.
    """
    scores = [score(first, second) for first, second in zip(rows["text"], rows["text_pair"], strict=True)]
    right = np.array(rows["label"][:]) == 1
    questions = np.array(rows["question"][:])
    chances = []
    for question in np.unique(questions):
        choices = questions == question
        best = np.isclose(np.array(scores)[choices], np.max(np.array(scores)[choices]))
        chances.append((best & right[choices]).sum() / best.sum())
    return float(np.mean(chances))
