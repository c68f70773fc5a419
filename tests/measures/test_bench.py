"""The bench alternates, warms up, and reports ratios; nothing is asserted about seconds."""

from itertools import product

import numpy as np
import pytest
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.bench import alternate, bench_exits
from course_lib.measures.bench_depth import bench_depth
from course_lib.measures.cost import full_flops
from course_lib.models.pruning import every_other, prune


def test_contenders_alternate_in_both_orders():
    calls = []
    times = alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=4)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab" + "ba"
    assert all(len(seconds) == 4 and (seconds >= 0).all() for seconds in times.values())


def test_when_the_time_is_up_no_new_round_begins():
    calls = []
    times = alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 4, at_most=0.0)
    assert "".join(calls) == "ab" + "ab" and all(len(seconds) == 1 for seconds in times.values())


def test_bench_of_both_ends():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    found = bench_exits(model, tokenizer, corpus["test"], 7, [0, 1], rounds=3)
    assert [(result.speed, result.way) for result in found] == list(product([0, 1], ["batch", "pool"]))
    assert len({result.full_ms for result in found}) == 1  # all against the same plain runs
    slow, fast = found[:2], found[2:]
    assert all(result.mean_layer == 4 and result.flops_speedup < 1 for result in slow)
    assert all(result.mean_layer == 1 and result.flops_speedup > 3 for result in fast)
    for result in slow + fast:
        assert result.spread[0] <= result.measured_speedup <= result.spread[1]
        assert np.isclose(result.ratio, result.measured_speedup / result.flops_speedup)


def test_bench_of_cut_networks():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    found = bench_depth(model, tokenizer, corpus["test"], [1, 2], batch_size=7, rounds=3)
    assert [cost.keep for cost in found] == [4, 2, 1] and {cost.rounds for cost in found} == {3}
    assert found[0].speedup == found[0].promised == 1.0
    lengths = np.array(
        [len(ids) for ids in tokenizer(list(corpus["test"]["text"]), truncation=True)["input_ids"]]
    )
    for cost in found:
        smaller = prune(model, every_other(4, cost.keep))
        assert cost.flops == pytest.approx(full_flops(smaller.config, lengths).mean())
        assert cost.promised == pytest.approx(found[0].flops / cost.flops)
        assert cost.spread[0] <= cost.speedup <= cost.spread[1] and cost.milliseconds > 0
        students = sum(weights.numel() for exit in smaller.exits[:-1] for weights in exit.parameters())
        assert cost.parameters == smaller.num_parameters() - students
