"""Times of early exit and fixed depths: all are there, deeper is not quicker by much, depths interpolate."""

import numpy as np
import pytest
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.bench_rivals import RivalTimes, bench_rivals


def test_all_contenders_are_timed():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_hidden_layers=4, vocab_size=len(tokenizer))
    found = bench_rivals(model, tokenizer, corpus["train"], [0.2, 0.9], batch_size=4, texts=16, rounds=3)
    assert found.depths == [1, 2, 3, 4] and len(found.fixed) == 4 and len(found.early) == 2
    assert min(found.fixed + found.early) > 0 and found.spread >= 0


def test_depths_between_measured_ones_are_interpolated():
    times = RivalTimes(1, 1, 1, 3, [0.5], [2.0], [1, 2, 4], [1.0, 2.0, 6.0], 0.0)
    np.testing.assert_allclose(times.of_depths(4), [1, 2, 4, 6])
    assert times.of_depths(2) == pytest.approx([1, 2])
