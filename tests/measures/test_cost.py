"""FLOPs: the paper's published figures, PyTorch's own counter, and sums by hand."""

import numpy as np
import pytest
import torch
from tiny import tiny_fastbert
from torch.utils.flop_counter import FlopCounterMode

from course_lib.measures.cost import (
    exit_flops,
    flops,
    full_flops,
    layer_flops,
    paper_exit_flops,
    paper_flops,
    paper_layer_flops,
)
from course_lib.models.fastbert import FastBertConfig


def test_the_papers_counting():
    base = FastBertConfig(num_labels=2)
    assert paper_flops(base) == 21_785_247_744
    assert round((paper_layer_flops(base) + paper_exit_flops(base)) / 1e6, 1) == 1853.9


def test_ours_is_the_papers_plus_attention_products():
    base = FastBertConfig()
    assert layer_flops(base, 128) - paper_layer_flops(base, 128) == 4 * 128 * 128 * 768


def test_against_pytorchs_counter():
    """PyTorch counts the operations that really run; a layer and an exit must agree with it."""
    model = tiny_fastbert(num_hidden_layers=1)
    model.set_attn_implementation("eager")  # the counter sees its two products as matrix products
    length = 11
    ids = torch.randint(5, 60, (1, length))
    with FlopCounterMode(display=False) as layer_counter, torch.no_grad():
        model.bert(ids)
    assert layer_counter.get_total_flops() == layer_flops(model.config, length)
    with FlopCounterMode(display=False) as exit_counter, torch.no_grad():
        model.exits[0](torch.randn(1, length, model.config.hidden_size))
    attention = 4 * length * model.config.exit_hidden_size
    # On some processors the counter does not see inside the fused attention.
    assert exit_counter.get_total_flops() in (
        exit_flops(model.config, length),
        exit_flops(model.config, length) - attention,
    )


def test_a_sentence_pays_for_every_layer_and_exit_up_to_its_own():
    config = tiny_fastbert().config
    lengths = np.array([5, 20])
    one = layer_flops(config, lengths) + exit_flops(config, lengths)
    np.testing.assert_allclose(flops(config, lengths, np.array([1, 4])), one * [1, 4])
    np.testing.assert_allclose(
        full_flops(config, lengths), 4 * layer_flops(config, lengths) + exit_flops(config, lengths)
    )


@pytest.mark.parametrize("depth", [0, 5, -1])
def test_impossible_exit_layers(depth):
    with pytest.raises(ValueError, match=r"1\.\.4"):
        flops(tiny_fastbert().config, np.array([5]), np.array([depth]))
