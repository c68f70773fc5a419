"""Batches: texts of similar length, each text once in an epoch; what a decoder is to predict."""

import pytest
from tiny import tiny_corpus, tiny_tokenizer

from course_lib.texts.batches import LengthBuckets, NextTokens, encode, is_pairs, to_the_end
from course_lib.texts.tokenizers import train_poem_characters


@pytest.mark.parametrize("tokens_per_batch", [1, 40, 500])
def test_buckets_hold_every_text_once_within_the_budget(tokens_per_batch):
    lengths = [3, 50, 7, 7, 20, 31, 2, 2, 9, 44] * 7
    sampler = LengthBuckets(lengths, tokens_per_batch, seed=3, texts_per_pool=16)
    first = [list(batch) for batch in sampler]
    assert sorted(index for batch in first for index in batch) == list(range(70))
    for batch in first:
        padded = len(batch) * max(lengths[index] for index in batch)
        assert padded <= tokens_per_batch or len(batch) == 1
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_a_decoder_learns_the_end_and_neither_padding_nor_unknown_characters():
    tokenizer = train_poem_characters(["甲乙丙丁"], max_length=5)
    rows = to_the_end(["甲乙", "丙山丁甲乙丙"], tokenizer)
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert [len(row["input_ids"]) for row in rows] == [4, 5], "cut, and the end still there"
    assert all(row["input_ids"][0] == begin and row["input_ids"][-1] == end for row in rows)
    batch = NextTokens(tokenizer)(rows)
    a, b, c, d = tokenizer.convert_tokens_to_ids(list("甲乙丙丁"))
    assert batch["labels"].tolist() == [[begin, a, b, end, -100], [begin, c, -100, d, end]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]


def test_rows_may_be_columns_in_a_dict():
    """As the sliders ask for a typed sentence."""
    tokenizer = tiny_tokenizer(tiny_corpus())
    (row,) = encode({"text": ["好"], "label": [0]}, tokenizer)
    assert row == {"input_ids": tokenizer("好")["input_ids"]}
    assert is_pairs({"text": ["好"], "text_pair": ["坏"]}) and not is_pairs({"text": ["好"]})
