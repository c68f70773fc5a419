"""Windows hold all of a document; heads and tails hold what their names say."""

from itertools import pairwise

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.texts.tokenizers import train_characters
from course_lib.texts.windows import PARTS, shortened, windows

CHARACTERS = "一二三四五六七八九十"
TOKENIZER = train_characters([CHARACTERS], vocab_size=20, max_length=24)


def rows(*lengths: int) -> Dataset:
    texts = [
        "".join(CHARACTERS[(place + number) % 10] for place in range(length))
        for number, length in enumerate(lengths)
    ]
    return Dataset.from_dict({"text": texts})


def text_of(ids: list[int]) -> str:
    assert (ids[0], ids[-1]) == (TOKENIZER.cls_token_id, TOKENIZER.sep_token_id)
    return "".join(TOKENIZER.convert_ids_to_tokens(ids[1:-1]))


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(0, 70), min_size=1, max_size=5),
    tokens=st.integers(3, 24),
    overlap=st.integers(0, 21),
)
def test_windows_put_together_are_the_document(lengths, tokens, overlap):
    documents = rows(*lengths)
    if overlap >= tokens - 2:
        with pytest.raises(ValueError, match="overlap must lie in"):
            windows(documents, TOKENIZER, tokens, overlap)
        return
    found = windows(documents, TOKENIZER, tokens, overlap)
    assert len(found.encoded) == len(found.document) and sorted(set(found.document)) == list(
        range(len(lengths))
    )
    for number, text in enumerate(documents["text"]):
        pieces = [text_of(ids) for ids in found.of(number)]
        assert all(len(piece) <= tokens - 2 for piece in pieces)
        assert pieces[0] + "".join(piece[overlap:] for piece in pieces[1:]) == text
        for one, other in pairwise(pieces):
            assert one[len(one) - overlap :] == other[:overlap]


@pytest.mark.parametrize("part", PARTS)
def test_head_tail_and_both(part):
    long, short = rows(20, 6)["text"]
    found = [text_of(each["input_ids"]) for each in shortened(rows(20, 6), TOKENIZER, 9, part)]
    assert found == [{"head": long[:7], "tail": long[-7:], "both": long[:4] + long[-3:]}[part], short]


def test_the_head_is_what_truncation_leaves():
    documents = rows(60, 5, 0)
    plain = TOKENIZER(list(documents["text"]), truncation=True, max_length=12)["input_ids"]
    assert [each["input_ids"] for each in shortened(documents, TOKENIZER, 12)] == plain


@pytest.mark.parametrize("tokens", [2, 25])
def test_sizes_that_cannot_be(tokens):
    for call in (windows, shortened):
        with pytest.raises(ValueError, match=r"tokens must lie in 3\.\.24 \(2 are the frame\), not"):
            call(rows(5), TOKENIZER, tokens)
    with pytest.raises(ValueError, match="part must be one of head, tail, both, not 'middle'"):
        shortened(rows(5), TOKENIZER, 9, "middle")
