"""The worlds as questions: the labels are right, and what generalises is new in one way only."""

import re

import pytest

from course_lib.texts import world_questions as module
from course_lib.texts.batches import encode
from course_lib.texts.world_questions import (
    MOST_STEPS,
    TRAINED_KINDS,
    world_generalisation,
    world_questions,
    world_questions_tokenizer,
)
from course_lib.texts.worlds import NAMES


@pytest.fixture(scope="module")
def splits():
    sizes = dict(module.SIZES)
    module.SIZES.update(train=600, validation=200, test=200)
    try:
        return {**world_questions(), **world_generalisation(size=200)}
    finally:
        module.SIZES.update(sizes)


def answer_by_reading(row: dict) -> str:
    """Who has the ball, by the sentences alone."""
    zh = row["language"] == "zh"
    rule = r"(\w\w)传给(\w\w)" if zh else r"(\w+) passes to (\w+)"
    receiver = dict(re.findall(rule, row["text_pair"]))
    giver = {value: key for key, value in receiver.items()}
    part = r"传(\d)次以(前|后)" if zh else r"(before|after) (\d)"
    holder = next(name for name in NAMES[row["language"]] if row["text"].startswith(name))
    for one, other in re.findall(part, row["text"]):
        number, way = (one, other) if zh else (other, one)
        for _ in range(int(number)):
            holder = (giver if way in ("前", "before") else receiver)[holder]
    return holder


def test_the_label_is_what_the_sentences_say(splits):
    for rows in splits.values():
        for row in rows:
            right = NAMES[row["language"]][row["label"]]
            assert answer_by_reading(row) == right, row
            assert len(row["holders"]) == MOST_STEPS + 1 and row["holders"][row["steps"]] == row["label"]


def test_what_is_new_in_each_split(splits):
    train = splits["train"]
    assert set(train["kind"]) == set(TRAINED_KINDS) and max(train["steps"]) == 4
    assert set(splits["new_kind"]["kind"]) == {"back"} and max(splits["new_kind"]["steps"]) == 4
    assert set(splits["more_steps"]["kind"]) == {"twice"} and set(splits["more_steps"]["steps"]) == {5, 6, 7}
    assert set(splits["longer"]["kind"]) == {"after"} and max(splits["longer"]["steps"]) == 4
    sizes = {
        name: [len(re.findall("看见|sees", story)) for story in rows["text_pair"]]
        for name, rows in splits.items()
    }
    assert max(sizes["train"]) == max(sizes["more_steps"]) == 2 and set(sizes["longer"]) == {5, 6, 7, 8}


def test_all_words_are_known_and_nothing_is_cut(splits):
    tokenizer = world_questions_tokenizer()
    known = {id for row in encode(splits["train"], tokenizer) for id in row["input_ids"]}
    for rows in splits.values():
        for row in encode(rows, tokenizer):
            assert tokenizer.unk_token_id not in row["input_ids"] and set(row["input_ids"]) <= known
            assert len(row["input_ids"]) < tokenizer.model_max_length
            assert sorted(set(row["token_type_ids"])) == [0, 1]
