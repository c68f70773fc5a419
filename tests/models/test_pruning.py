"""Cutting against the network that skips the same layers, and strategies where the answer is known."""

import copy
import itertools
import logging
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import by_hand, tiny_batch, tiny_fastbert, tiny_model
from torch.nn.functional import mse_loss
from transformers import (
    AutoModel,
    BertForMaskedLM,
    BertModel,
    DistilBertForSequenceClassification,
    DistilBertModel,
    GPT2LMHeadModel,
    GPT2Model,
    GPTNeoModel,
    ModernBertModel,
    Qwen2Model,
    RobertaForSequenceClassification,
    RobertaModel,
    RoFormerModel,
    T5EncoderModel,
)
from transformers.utils import logging as transformers_logging

from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.layerdrop import LayerDrop
from course_lib.models.pruning import (
    LayerRates,
    data_driven,
    every_other,
    only_layers,
    prune,
    recommended_rate,
    search_on_valid,
)

BACKBONES = [BertModel, RobertaModel, DistilBertModel, GPT2Model]
WITH_HEADS = [
    BertForMaskedLM,
    RobertaForSequenceClassification,
    DistilBertForSequenceClassification,
    GPT2LMHeadModel,
]
IDS, MASK = tiny_batch([9, 3, 6])


# --- the smaller model -------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.sampled_from(BACKBONES), st.sets(st.integers(1, 5), min_size=1), st.integers(0, 100))
def test_the_cut_model_is_the_layers_that_stay_written_out_by_hand(model_class, keep, seed):
    model = tiny_model(model_class, 5, seed=seed)
    runs = torch.tensor([[depth in keep] * 2 for depth in range(1, 6)])
    ids, _ = tiny_batch([7, 7], seed)
    found = prune(model, sorted(keep))(ids)[0]
    torch.testing.assert_close(found, by_hand(model, ids, runs), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("keep", [[1], [2, 4], [1, 3, 4], [1, 2, 3, 4]])
@pytest.mark.parametrize("model_class", [*BACKBONES, *WITH_HEADS])
def test_the_cut_model_is_the_base_run_with_those_layers_skipped(model_class, keep):
    model = tiny_model(model_class, initializer_range=0.2)
    cut = prune(model, keep)
    with only_layers(model, keep):
        expected = model(IDS, attention_mask=MASK)[0]
    torch.testing.assert_close(cut(IDS, attention_mask=MASK)[0], expected, atol=1e-6, rtol=1e-6)
    assert type(cut) is model_class and cut.config.num_hidden_layers == len(keep)
    assert cut.num_parameters() < model.num_parameters() or len(keep) == 4


@pytest.mark.parametrize("model_class", [*BACKBONES, *WITH_HEADS])
def test_a_saved_cut_loads_as_a_plain_model_without_a_message(model_class, tmp_path, caplog):
    cut = prune(tiny_model(model_class, attn_pdrop=0.0), [1, 4])
    cut.save_pretrained(tmp_path)
    caplog.clear()
    transformers_logging.enable_propagation()
    try:
        with caplog.at_level(logging.WARNING):
            again, report = model_class.from_pretrained(tmp_path, output_loading_info=True)
    finally:
        transformers_logging.disable_propagation()
    assert not any(report.values()), report
    assert [record.message for record in caplog.records] == []
    assert again.config.num_hidden_layers == 2
    assert torch.equal(again(IDS, attention_mask=MASK)[0], cut(IDS, attention_mask=MASK)[0])
    assert type(AutoModel.from_pretrained(tmp_path)).__module__.startswith("transformers.")


@pytest.mark.parametrize("model_class", [BertForMaskedLM, GPT2LMHeadModel])
def test_tied_weights_are_still_tied(model_class):
    cut = prune(tiny_model(model_class), [2, 3])
    assert cut.get_input_embeddings().weight is cut.get_output_embeddings().weight


def test_a_cut_gpt2_writes_what_the_skipped_run_writes():
    """With and without its cache of keys and values, whose layers are numbered anew."""
    model = tiny_model(GPT2LMHeadModel, initializer_range=0.3, max_position_embeddings=64, eos_token_id=None)
    model.generation_config.repetition_penalty = (
        1.5  # part of the model too; and no word is repeated for ever
    )
    ids, _ = tiny_batch([5, 5])
    asked = {"max_new_tokens": 20, "do_sample": False, "attention_mask": torch.ones_like(ids)}
    with only_layers(model, [2, 4]):
        expected = model.generate(ids, use_cache=False, **asked)
    cut = prune(model, [2, 4])
    assert torch.equal(cut.generate(ids, **asked), expected)
    assert torch.equal(cut.generate(ids, use_cache=False, **asked), expected)
    assert len(set(expected[0].tolist())) > 10 and not torch.equal(expected, model.generate(ids, **asked))


def test_a_gpt2_whose_attention_depends_on_the_layers_number_is_refused():
    model = tiny_model(GPT2Model, scale_attn_by_inverse_layer_idx=True)
    with pytest.raises(ValueError, match="scale_attn_by_inverse_layer_idx=True cannot be cut"):
        prune(model, [1, 3])


@pytest.mark.parametrize("keep", [[1], [1, 2], [1, 3], [1, 4], [1, 3, 4, 6], [1, 2, 3, 4, 5, 6]])
def test_types_of_layers_that_the_config_lists_are_cut_along(keep, tmp_path):
    """Every third layer of this ModernBERT attends to all tokens, the others to their neighbours."""
    changes = {"local_attention": 4, "cls_token_id": 1, "sep_token_id": 2}
    model = tiny_model(ModernBertModel, 6, **changes)
    types = model.config.layer_types
    cut = prune(model, keep)
    with only_layers(model, keep):
        expected = model(IDS, attention_mask=MASK)[0]
    torch.testing.assert_close(cut(IDS, attention_mask=MASK)[0], expected, atol=1e-5, rtol=1e-5)
    assert (
        cut.config.layer_types == [types[depth - 1] for depth in keep] and model.config.layer_types is types
    )
    cut.save_pretrained(tmp_path)
    again = ModernBertModel.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(again(IDS, attention_mask=MASK)[0], expected, atol=1e-5, rtol=1e-5)


def test_types_of_layers_count_where_the_model_and_not_the_layer_reads_them():
    types = ["full_attention", "sliding_attention"] * 2
    changes = {
        "layer_types": types,
        "use_sliding_window": True,
        "sliding_window": 3,
        "num_key_value_heads": 2,
    }
    model = tiny_model(Qwen2Model, 4, **changes)
    assert {layer.self_attn.sliding_window for layer in model.layers} == {None, 3}
    for keep in ([1, 3], [2, 4], [2, 3]):
        with only_layers(model, keep):
            expected = model(IDS, use_cache=False)[0]
        torch.testing.assert_close(prune(model, keep)(IDS)[0], expected, atol=1e-5, rtol=1e-5)


def test_a_layer_that_is_made_by_its_number_cannot_get_another():
    """A ModernBERT's first layer has no norm before its attention; a T5's alone knows the positions."""
    modernbert = tiny_model(ModernBertModel, 4, cls_token_id=1, sep_token_id=2)
    with pytest.raises(ValueError, match=r"layer 2 of a ModernBertModel .* differently \(attn_norm\)"):
        prune(modernbert, [2, 3])
    with pytest.raises(ValueError, match=r"layer 2 of a T5EncoderModel would become layer 1"):
        prune(tiny_model(T5EncoderModel, 4), [2, 3])


@pytest.mark.parametrize("keep", [[1, 3], [1, 2]])
def test_a_gpt_neo_is_refused_as_its_config_gives_each_layer_its_attention(keep):
    model = tiny_model(GPTNeoModel, 4, attention_types=[[["global", "local"], 2]])
    with pytest.raises(ValueError, match=r"no GPTNeoConfig describes the cut model: (.|\n)*attention_types"):
        prune(model, keep)


def test_a_cut_draws_nothing_that_is_not_thrown_away():
    """The check of the layers makes a second model, but without weights."""
    model = tiny_model(BertModel)
    torch.manual_seed(3)
    prune(model, [1, 3])
    found = torch.rand(3)
    torch.manual_seed(3)
    type(model)(model.config.__class__.from_dict(model.config.to_dict() | {"num_hidden_layers": 2}))
    assert torch.equal(torch.rand(3), found)


def test_the_exits_of_a_fastbert_follow_their_layers(tmp_path):
    model = tiny_fastbert(5)
    cut = prune(model, [1, 3, 4])
    with only_layers(model, [1, 3, 4]):
        expected = model.layer_logits(IDS, MASK)[[0, 2, 3]]
    torch.testing.assert_close(cut.layer_logits(IDS, MASK), expected, atol=1e-6, rtol=1e-6)
    cut.save_pretrained(tmp_path)
    again = FastBertForSequenceClassification.from_pretrained(tmp_path)
    full = again.predict(IDS, MASK, speed=0)
    assert full.exit_layer.tolist() == [3, 3, 3]
    torch.testing.assert_close(full.logits, expected[-1], atol=1e-5, rtol=1e-5)
    assert again.predict(IDS, MASK, speed=1).exit_layer.tolist() == [1, 1, 1]


@pytest.mark.parametrize("model_class", [BertForMaskedLM, GPT2LMHeadModel, FastBertForSequenceClassification])
def test_the_original_is_untouched(model_class):
    model = tiny_model(model_class)
    before, expected = copy.deepcopy(model.state_dict()), model(IDS, attention_mask=MASK)[0]
    attributes = {name: set(vars(module)) for name, module in model.named_modules()}
    cut = prune(model, [2])
    with torch.no_grad():
        for parameter in cut.parameters():
            parameter.zero_()
    assert list(model.state_dict()) == list(before) and model.config.num_hidden_layers == 4
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(model(IDS, attention_mask=MASK)[0], expected)
    assert {name: set(vars(module)) for name, module in model.named_modules()} == attributes


def test_precision_and_mode_are_the_originals():
    model = tiny_model(BertModel).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1e-12)  # lost in single precision
    cut = prune(model.train(), [1, 4])
    assert cut.training and cut.dtype == torch.float64
    assert torch.equal(cut.encoder.layer[1].output.dense.weight, model.encoder.layer[3].output.dense.weight)
    assert not prune(model.eval().bfloat16(), [1]).training


def test_a_model_trained_with_layerdrop_is_cut_into_a_plain_one():
    model = tiny_model(BertModel).train()
    LayerDrop(0.5).attach(model)
    model(IDS)
    cut = prune(model, [1, 4])
    assert all("forward" not in vars(module) for module in cut.modules())
    with only_layers(model.eval(), [1, 4]):
        torch.testing.assert_close(cut.eval()(IDS)[0], model(IDS)[0])


def test_a_cut_on_trial_ends_even_when_it_fails():
    model = tiny_model(BertModel)
    drop = LayerDrop(0.5).attach(model)
    expected, gates = model(IDS)[0], [layer.forward for layer in model.encoder.layer]
    with pytest.raises(KeyboardInterrupt), only_layers(model, [2]):
        assert not torch.equal(model(IDS)[0], expected)
        raise KeyboardInterrupt
    assert [layer.forward for layer in model.encoder.layer] == gates
    assert torch.equal(model(IDS)[0], expected)
    drop.detach()
    assert all("forward" not in vars(layer) for layer in model.encoder.layer)


@pytest.mark.parametrize("keep", [[], [0], [13], [1, 13], [0, 1], [-1], [2, 2], [3, 1]])
def test_impossible_depths_are_refused_with_the_range(keep):
    model = tiny_model(BertModel, 12)
    for cut in (lambda: prune(model, keep), lambda: only_layers(model, keep).__enter__()):
        with pytest.raises(ValueError, match=r"depths in 1\.\.12.*not \["):
            cut()


@pytest.mark.parametrize("keep", [6, None, [1.5], "six"])
def test_what_is_no_list_of_depths_is_refused_with_the_range(keep):
    with pytest.raises(ValueError, match=r"keep must be a list of depths in 1\.\.12, not "):
        prune(tiny_model(BertModel, 12), keep)


def test_depths_may_come_as_a_tensor_or_an_array():
    model = tiny_model(BertModel, 4)
    for keep in (torch.tensor([1, 3]), np.array([1, 3]), (1, 3)):
        assert prune(model, keep).config.num_hidden_layers == 2


def test_drop_rates_are_learned_in_evaluation_mode():
    with pytest.raises(ValueError, match="evaluation mode"):
        data_driven(tiny_model(BertModel, 4).train(), lambda step: torch.tensor(0.0), 2)


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_drop_rates_are_learned_in_one_step_at_least(steps):
    with pytest.raises(ValueError, match=f"steps must be a whole number, at least 1, not {steps}"):
        data_driven(tiny_model(BertModel, 4), lambda step: torch.tensor(0.0), 2, steps=steps)


def test_learning_drop_rates_takes_nothing_from_the_callers_random_numbers():
    model = tiny_model(BertModel)
    learned = []
    for others in (0, 1):
        torch.manual_seed(others)
        expected = torch.rand(3)
        torch.manual_seed(others)
        kept, rates = data_driven(model, lambda step: model(IDS)[0].abs().mean(), 2, steps=3, seed=5)
        assert torch.equal(torch.rand(3), expected)
        learned.append(rates)
    assert torch.equal(*learned), "and its own follow from its seed"


@pytest.mark.parametrize("model_class", [RoFormerModel, GPTNeoModel])
def test_drop_rates_of_layers_that_put_out_more_than_their_states_are_refused(model_class):
    changes = {"attention_types": [[["global", "local"], 2]]} if model_class is GPTNeoModel else {}
    model = tiny_model(model_class, **changes)
    with pytest.raises(ValueError, match=r"layers of type \w+ cannot be skipped"):
        data_driven(model, lambda step: model(IDS[:2])[0].mean(), 2)
    assert all("forward" not in vars(module) for module in model.modules())


@pytest.mark.parametrize("keep", [0, 13, -1, 2.5])
def test_impossible_numbers_of_layers_are_refused_with_the_range(keep):
    for ask in (
        lambda: every_other(12, keep),
        lambda: recommended_rate(12, keep),
        lambda: search_on_valid(lambda depths: 0.0, 12, keep),
        lambda: data_driven(tiny_model(BertModel, 12), lambda step: torch.tensor(0.0), keep),
    ):
        with pytest.raises(ValueError, match=f"of 12 layers, between 1 and 12 can be kept, not {keep}"):
            ask()


# --- strategies --------------------------------------------------------------------------------------


def test_every_other_is_the_papers_rule_wherever_that_leaves_so_many():
    """Depths d with d = 0 mod floor(1/p) go (section 3.2), for p = 1 - keep/L, in exact fractions."""
    defined = 0
    for layers in range(1, 25):
        for keep in range(1, layers):
            p = 1 - Fraction(keep, layers)
            stays = [depth for depth in range(1, layers + 1) if depth % (1 / p).__floor__() != 0]
            if len(stays) == keep:
                assert every_other(layers, keep) == stays
                defined += 1
    assert defined > 40


def test_every_other_on_the_papers_and_other_cases():
    assert every_other(12, 6) == [1, 3, 5, 7, 9, 11]  # p = 0.5
    assert every_other(12, 9) == [1, 2, 3, 5, 6, 7, 9, 10, 11]  # p = 0.25
    assert every_other(12, 3) == [1, 5, 9]  # p = 0.75: the paper's rule would drop every layer
    assert every_other(12, 1) == [1]
    assert every_other(12, 12) == list(range(1, 13))


@given(st.integers(1, 100).flatmap(lambda layers: st.tuples(st.just(layers), st.integers(1, layers))))
def test_every_other_is_even_and_starts_at_the_bottom(size):
    layers, keep = size
    depths = every_other(layers, keep)
    assert len(depths) == keep and depths[0] == 1 and depths[-1] <= layers
    gaps = {right - left for left, right in itertools.pairwise(depths)}
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)


def test_recommended_rate():
    assert recommended_rate(12, 6) == 0.5
    assert recommended_rate(12, 9) == pytest.approx(0.25)
    assert recommended_rate(12, 12) == 0


def gpt2_of_two_layers_among_six(useful, seed=0):
    """All other layers are the identity: what they add to the residual stream is zero."""
    model = tiny_model(GPT2Model, 6, seed=seed)
    for depth, layer in enumerate(model.h, 1):
        if depth not in useful:
            for projection in (layer.attn.c_proj, layer.mlp.c_proj):
                torch.nn.init.zeros_(projection.weight)
                torch.nn.init.zeros_(projection.bias)
    return model


@pytest.mark.parametrize(("method", "calls"), [("greedy", 6 + 5 + 4 + 3), ("exhaustive", 15)])
@pytest.mark.parametrize("useful", [[2, 5], [1, 6], [3, 4]])
def test_the_search_finds_the_layers_that_do_something(useful, method, calls):
    model, tried = gpt2_of_two_layers_among_six(useful), []
    with torch.no_grad():
        expected = model(IDS)[0]

        def score(depths):
            tried.append(tuple(depths))
            with only_layers(model, depths):
                return -mse_loss(model(IDS)[0], expected).item()

        assert search_on_valid(score, 6, 2, method) == useful
    assert len(tried) == len(set(tried)) == calls


def test_a_greedy_search_can_miss_what_an_exhaustive_one_finds():
    """1 is best missed first; but the best pair holds it."""
    best = {(2, 3): 5.0, (1, 3): 0.0, (1, 2): 0.0, (3,): 1.0, (2,): 2.0, (1,): 9.0}
    assert search_on_valid(lambda depths: best[tuple(depths)], 3, 1) == [2]
    assert search_on_valid(lambda depths: best[tuple(depths)], 3, 1, "exhaustive") == [1]


def test_the_search_keeps_to_its_budget():
    calls = []
    with pytest.raises(ValueError, match="exhaustive needs 924 trials; max_trials is 923"):
        search_on_valid(calls.append, 12, 6, "exhaustive", max_trials=923)
    with pytest.raises(ValueError, match="greedy needs 57 trials; max_trials is 56"):
        search_on_valid(calls.append, 12, 6, max_trials=56)
    assert calls == []
    assert len(search_on_valid(lambda depths: float(sum(depths)), 12, 6, "exhaustive", max_trials=924)) == 6
    with pytest.raises(ValueError, match=r"method must be one of \['greedy', 'exhaustive'\], not 'random'"):
        search_on_valid(calls.append, 12, 6, "random")


def test_a_search_that_keeps_everything_tries_nothing():
    calls = []
    assert search_on_valid(calls.append, 4, 4) == [1, 2, 3, 4]
    assert calls == []


@given(st.integers(1, 8).flatmap(lambda layers: st.tuples(st.just(layers), st.integers(1, layers))))
def test_the_mean_of_the_learned_rates_is_what_is_asked(size):
    layers, keep = size
    torch.manual_seed(0)
    rates = LayerRates(layers, 5, keep)(torch.randn(layers, 3, 5))
    assert rates.shape == (layers,) and (rates > 0).all()
    assert rates.mean().item() == pytest.approx(keep / layers, rel=1e-5)


@pytest.mark.parametrize("useful", [[2, 5], [1, 6], [3, 4]])
def test_data_driven_pruning_finds_the_layers_that_do_something(useful):
    model = gpt2_of_two_layers_among_six(useful)
    model.wte.weight.requires_grad_(False)
    asked = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    before = copy.deepcopy(model.state_dict())
    batches = [tiny_batch([9, 9], seed)[0] for seed in range(8)]
    with torch.no_grad():
        expected = [model(ids)[0] for ids in batches]

    def loss(step):
        return mse_loss(model(batches[step % 8])[0], expected[step % 8])

    kept, rates = data_driven(model, loss, keep=2, steps=120)
    assert kept == useful
    assert rates.shape == (6,) and (rates <= 1).all() and rates.sum() <= 2 + 1e-4
    assert min(rates[depth - 1] for depth in useful) > 0.5 > rates.median()

    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == asked
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all("forward" not in vars(module) for module in model.modules())


def test_data_driven_pruning_gives_the_model_back_when_it_is_interrupted():
    model = tiny_model(BertModel)

    def loss(step):
        if step == 2:
            raise KeyboardInterrupt
        return model(IDS)[0].mean()

    with pytest.raises(KeyboardInterrupt):
        data_driven(model, loss, keep=2)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all("forward" not in vars(module) for module in model.modules())
