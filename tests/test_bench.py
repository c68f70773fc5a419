"""The bench alternates, warms up, and reports ratios; nothing is asserted about seconds."""

import numpy as np
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.bench import alternate, bench_exits


def test_contenders_alternate_in_both_orders():
    calls = []
    times = alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=4)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab" + "ba"
    assert all(len(seconds) == 4 and (seconds >= 0).all() for seconds in times.values())


def test_bench_of_both_ends():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    slow = bench_exits(model, tokenizer, corpus["test"], 7, speed=0, rounds=3)
    fast = bench_exits(model, tokenizer, corpus["test"], 7, speed=1, rounds=3)
    assert [result.way for result in slow] == ["batch", "pool"]
    assert all(result.mean_layer == 4 and result.flops_speedup < 1 for result in slow)
    assert all(result.mean_layer == 1 and result.flops_speedup > 3 for result in fast)
    for result in slow + fast:
        assert result.spread[0] <= result.measured_speedup <= result.spread[1]
        assert np.isclose(result.ratio, result.measured_speedup / result.flops_speedup)
