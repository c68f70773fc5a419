"""What a model cannot read is counted alike for one text and for many, and training warns of it."""

import warnings

import pytest
from datasets import Dataset

from course_lib.texts.batches import tokenise
from course_lib.texts.tokenizers import train_characters
from course_lib.texts.unread import Unread

TOKENIZER = train_characters(["很好太差"], vocab_size=20, max_length=10)  # [CLS], eight tokens, [SEP]


@pytest.mark.parametrize(
    ("text", "unknown", "cut"),
    [("很好", 0, 0), ("很😀好", 1, 0), ("Отель", 5, 0), ("\u200b", 1, 0), ("很" * 8, 0, 0), ("很" * 9, 0, 1)],
)
def test_one_text(text, unknown, cut):
    found = Unread.of([text], TOKENIZER)
    assert (found.tokens, found.unknown, found.cut, found.limit) == (len(text), unknown, cut, 8)
    assert len(found.of_one()) == (unknown > 0) + cut
    assert all(word in " ".join(found.of_one()) for word in [f"{unknown} of {len(text)}"] * (unknown > 0))


def test_a_text_of_blanks_has_no_tokens():
    assert Unread.of(["\u3000 \n"], TOKENIZER).tokens == 0


@pytest.mark.parametrize(
    ("texts", "sentences"),
    [
        (["很好"] * 9 + ["很x"], []),
        (["很好"] * 5 + ["xyz"], ["23% of the tokens are unknown"]),
        (["很好"] * 9 + ["很" * 9], []),
        (["很好"] * 8 + ["很" * 9] * 2, ["2 of 10 texts are longer than the 8 tokens"]),
        (["x" * 9] * 3, ["100% of the tokens are unknown", "3 of 3 texts are longer"]),
    ],
)
def test_many_texts(texts, sentences):
    found = Unread.of(texts, TOKENIZER).of_many()
    assert len(found) == len(sentences)
    assert all(each.startswith(start) for each, start in zip(found, sentences, strict=True))


def test_training_warns_of_what_it_cannot_read():
    rows = Dataset.from_dict({"text": ["Отель", "很好"], "label": [0, 1]})
    with pytest.warns(UserWarning, match="71% of the tokens are unknown to this model"):
        encoded = tokenise(rows, TOKENIZER)
    assert [len(each["input_ids"]) for each in encoded] == [7, 4]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenise(rows.select_columns("text"), TOKENIZER)  # nothing is to be learned here
        tokenise(Dataset.from_dict({"text": ["很好"], "label": [1]}), TOKENIZER)
