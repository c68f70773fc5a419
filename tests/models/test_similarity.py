"""Block Influence: layers that do nothing have none, and they are the ones that go."""

import pytest
import torch
from tiny import tiny_fastbert, tiny_model
from transformers import BertForSequenceClassification, GPT2LMHeadModel

from course_lib.models.similarity import block_influence, most_influential

BATCH = {
    "input_ids": torch.tensor([[2, 10, 11, 12, 3], [2, 20, 21, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]),
}


def silence(layer: torch.nn.Module) -> None:
    """Makes a BERT layer the identity (but for rounding): its two additions add nothing."""
    for part in (layer.attention.output, layer.output):
        part.dense.weight.data.zero_()
        part.dense.bias.data.zero_()


def test_a_layer_that_does_nothing_has_no_influence_and_goes_first():
    model = tiny_model(BertForSequenceClassification)
    silence(model.bert.encoder.layer[2])
    influence = block_influence(model, [BATCH])
    assert influence[2] == pytest.approx(0, abs=1e-5) and min(influence[:2] + influence[3:]) > 0.01
    assert most_influential(influence, 3) == [1, 2, 4]


def test_it_is_the_mean_over_real_tokens_by_hand():
    model = tiny_fastbert()
    with torch.no_grad():
        states = model.layer_states(BATCH["input_ids"], BATCH["attention_mask"], None)
    before, after = states[0][0], states[1][0]  # around layer 2
    real = BATCH["attention_mask"].bool()
    expected = 1 - torch.cosine_similarity(before, after, dim=-1)[real].mean()
    assert block_influence(model, [BATCH])[1] == pytest.approx(expected.item(), abs=1e-5)


def test_padding_and_the_division_into_batches_do_not_matter():
    model = tiny_model(BertForSequenceClassification)
    halves = [{key: value[row : row + 1] for key, value in BATCH.items()} for row in (0, 1)]
    assert block_influence(model, halves) == pytest.approx(block_influence(model, [BATCH]), abs=1e-5)


def test_decoders_have_layers_too_and_no_hook_stays():
    model = tiny_model(GPT2LMHeadModel)
    assert len(block_influence(model, [BATCH])) == 4
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("keep", [0, 5])
def test_impossible_numbers_of_layers_are_refused(keep):
    with pytest.raises(ValueError, match="between 1 and 4"):
        most_influential([0.1, 0.2, 0.3, 0.4], keep)


def test_of_equals_the_lower_layer_stays():
    assert most_influential([0.5, 0.2, 0.2, 0.9], 3) == [1, 2, 4]


def test_no_batch_is_refused():
    with pytest.raises(ValueError, match="at least one batch"):
        block_influence(tiny_fastbert(), [])
