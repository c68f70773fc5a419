"""Narrower layers: the strongest neurons and heads stay, and nothing is lost where nothing is cut."""

import copy

import pytest
import torch
from tiny import SIZES, tiny_batch, tiny_model
from transformers import AutoModel, BertModel, DistilBertModel, GPT2Model, RobertaModel

from course_lib.models.pruning_width import prune_feed_forward, prune_heads, strongest

MODELS = [BertModel, RobertaModel, DistilBertModel, GPT2Model]
WIDTH = SIZES["intermediate_size"]


def model_of(model_class):
    return tiny_model(model_class, **({"n_inner": WIDTH} if model_class is GPT2Model else {}))


def answer(model):
    ids, _ = tiny_batch([7, 7, 7])
    with torch.no_grad():
        return model(ids).last_hidden_state


@pytest.mark.parametrize("model_class", MODELS)
def test_all_neurons_kept_is_the_same_model(model_class):
    model = model_of(model_class)
    torch.testing.assert_close(answer(prune_feed_forward(model, WIDTH)), answer(model))


@pytest.mark.parametrize("model_class", MODELS)
def test_neurons_without_weight_are_cut_without_loss(model_class):
    """Half of the neurons lead nowhere: cutting to half changes nothing."""
    model = model_of(model_class)
    for layer in model.base_model.modules():
        for name, conv in (("output.dense", False), ("ffn.lin2", False), ("mlp.c_proj", True)):
            try:
                module = layer.get_submodule(name)
            except AttributeError:
                continue
            if name == "output.dense" and not hasattr(layer, "intermediate"):
                continue  # the attention's
            with torch.no_grad():
                (module.weight if conv else module.weight.T)[::2] = 0
    narrower = prune_feed_forward(model, WIDTH // 2)
    torch.testing.assert_close(answer(narrower), answer(model))
    assert narrower.num_parameters() < model.num_parameters()


def test_it_loads_without_our_code(tmp_path):
    narrower = prune_feed_forward(tiny_model(BertModel), 5)
    narrower.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path).eval()
    assert loaded.config.intermediate_size == 5
    torch.testing.assert_close(answer(loaded), answer(narrower))


def test_the_strongest_by_hand():
    into, out = torch.nn.Linear(1, 3), torch.nn.Linear(3, 1)
    with torch.no_grad():
        into.weight[:] = torch.tensor([[1.0], [3.0], [2.0]])
        out.weight[:] = torch.tensor([[4.0, 0.1, -3.0]])  # products 4, 0.3 and 6
    assert strongest(into, out, 2).tolist() == [0, 2] and strongest(into, out, 1).tolist() == [2]


@pytest.mark.parametrize("width", [0, WIDTH + 1, 2.5])
def test_impossible_widths(width):
    with pytest.raises(ValueError, match=f"between 1 and {WIDTH} can be kept, not {width}"):
        prune_feed_forward(tiny_model(BertModel), width)


@pytest.mark.parametrize("heads", [1, 3, 4])
def test_a_network_with_fewer_heads_is_the_whole_one_with_the_others_silenced(heads):
    model = tiny_model(BertModel, 3, hidden_size=32, num_attention_heads=4, initializer_range=0.3)
    ids, mask = tiny_batch([9, 5])
    narrower = prune_heads(model, heads)
    silenced = copy.deepcopy(model)
    for layer in silenced.encoder.layer:
        values = layer.attention.self.value.weight.view(4, 8, 32)
        into = layer.attention.output.dense.weight.data.view(32, 4, 8)
        strength = [values[head].norm() * into[:, head].norm() for head in range(4)]
        for head in sorted(range(4), key=strength.__getitem__)[: 4 - heads]:
            into[:, head] = 0
    found, expected = (net(ids, mask).last_hidden_state for net in (narrower, silenced))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert (narrower.num_parameters() < model.num_parameters()) == (heads < 4)
    assert model.encoder.layer[0].attention.self.query.out_features == 32, "the model itself stays whole"


def test_impossible_numbers_of_heads_are_refused():
    for heads in (0, 5, 2.5):
        with pytest.raises(ValueError, match=f"of 4 heads, between 1 and 4 can be kept, not {heads}"):
            prune_heads(tiny_model(BertModel, 1, hidden_size=32, num_attention_heads=4), heads)
    with pytest.raises(ValueError, match="from BERT's layers, not from a GPT2Block"):
        prune_heads(tiny_model(GPT2Model, 1), 1)
