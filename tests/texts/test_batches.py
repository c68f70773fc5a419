"""Batches: texts of similar length, each text once in an epoch."""

import pytest

from course_lib.texts.batches import LengthBuckets


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
