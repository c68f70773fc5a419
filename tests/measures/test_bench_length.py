"""One layer against the length of the text: both countings beside the clock."""

import pytest
from tiny import tiny_fastbert

from course_lib.measures.bench_length import bench_length
from course_lib.measures.cost import layer_flops, paper_layer_flops


def test_longer_texts_take_longer_and_more_than_the_papers_counting_says():
    model = tiny_fastbert(2, hidden_size=64, intermediate_size=128)
    benches = bench_length(model, lengths=(8, 64, 1024), rounds=3)
    assert [each.tokens for each in benches] == [8, 64, 1024]
    for each in benches:
        assert each.flops == layer_flops(model.config, each.tokens)
        assert each.paper_flops == paper_layer_flops(model.config, each.tokens)
        assert each.spread[0] <= each.milliseconds <= each.spread[1] and each.rounds == 3
    assert benches[0].milliseconds < benches[-1].milliseconds
    assert benches[0].attention_share < benches[1].attention_share < benches[2].attention_share < 1
    # Alone of what is counted without the products, the cost of a token never changes.
    assert benches[2].paper_flops / 1024 == benches[0].paper_flops / 8
    assert benches[2].flops / 1024 > 2 * benches[0].flops / 8


@pytest.mark.parametrize("lengths", [(), (0, 8)])
def test_lengths_that_cannot_be(lengths):
    with pytest.raises(ValueError, match="numbers of tokens, at least 1"):
        bench_length(tiny_fastbert(1), lengths)
