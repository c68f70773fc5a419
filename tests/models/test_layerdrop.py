"""LayerDrop against the binomial, against the model without it, and against layers written out by hand."""

import copy
import math
import tomllib
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from scipy import stats
from tiny import by_hand, tiny_batch, tiny_model
from torch import nn
from transformers import (
    BartConfig,
    BartModel,
    BertModel,
    ConvBertModel,
    DistilBertModel,
    ElectraModel,
    GPT2Model,
    GPTNeoModel,
    GPTNeoXModel,
    LlamaModel,
    RemBertModel,
    RobertaModel,
    RoFormerModel,
    T5EncoderModel,
    XLMRobertaModel,
)
from transformers.pytorch_utils import Conv1D

from course_lib.models import layerdrop
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.layerdrop import PROFILES, UNITS, LayerDrop, draw, drop_rates, find_layers
from course_lib.models.pruning import only_layers
from course_lib.paths import ROOT

PLAIN = [BertModel, RobertaModel, DistilBertModel, GPT2Model]
EVERY = [*PLAIN, FastBertForSequenceClassification]
IDS, MASK = tiny_batch([9, 9, 9])  # no padding
PADDED_IDS, PADDED_MASK = tiny_batch([9, 3, 6])
DRAWS = 20_000


def twins(model_class, unit, rate=0.5, dropout=0.0, dtype=torch.float32, **changes):
    """A LayerDrop, the model it holds, and the same model without it; both in training mode."""
    model, plain = (tiny_model(model_class, 4, dropout, **changes).to(dtype).train() for _ in range(2))
    return LayerDrop(rate, unit).attach(model), model, plain


def loss(states):
    """Weighs each number its own way; the sum of squares behind a LayerNorm would have no gradient."""
    return (states.double() * torch.arange(states.numel()).view(states.shape).cos()).sum()


def gradients(model):
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def assert_same_gradients(found, expected):
    """Within rounding; where one has no gradient at all (None), the other has none either."""
    for name, wanted in expected.items():
        assert (found[name] is None) == (wanted is None), name
        if wanted is not None:
            torch.testing.assert_close(found[name], wanted, msg=name)


def which_halves_run(drop):
    """The draw as booleans [L, 2]: a layer's attention, its feed-forward."""
    if drop.unit == "layer":
        return drop.runs[:, None].expand(-1, 2)
    if drop.unit == "ffn":
        return torch.stack([torch.ones_like(drop.runs), drop.runs], 1)
    if drop.unit == "head":
        return torch.stack([drop.runs.any(1), torch.ones(len(drop.runs), dtype=torch.bool)], 1)
    return drop.runs


# --- the draw ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_the_number_of_layers_that_run_is_binomial(rate):
    """Where all would be dropped, one runs: that share goes from 0 to 1."""
    layers, generator = 6, torch.Generator().manual_seed(1)
    counts = [int(draw(drop_rates(rate, layers), generator).sum()) for _ in range(DRAWS)]
    shares = stats.binom.pmf(range(layers + 1), layers, 1 - rate)
    shares[1] += shares[0]
    found = torch.tensor(counts).bincount(minlength=layers + 1).numpy()
    assert found[0] == 0
    assert stats.chisquare(found[1:], DRAWS * shares[1:]).pvalue > 1e-3


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_every_set_of_layers_is_drawn_as_often_as_it_should(rate, profile):
    """All 15 sets of 4 layers: so the layers are drawn independently, each at its own rate."""
    rates, generator = drop_rates(rate, 4, profile), torch.Generator().manual_seed(2)
    found = dict.fromkeys(product([False, True], repeat=4), 0)
    for _ in range(DRAWS):
        found[tuple(draw(rates, generator).tolist())] += 1
    shares = {
        runs: math.prod(1 - p if run else p for run, p in zip(runs, rates.tolist(), strict=True))
        for runs in found
    }
    none_runs = shares.pop((False,) * 4)
    expected = [DRAWS * (share + (none_runs / 4 if sum(runs) == 1 else 0)) for runs, share in shares.items()]
    assert found.pop((False,) * 4) == 0
    assert stats.chisquare(list(found.values()), expected).pvalue > 1e-3


def test_each_layer_is_dropped_at_the_rate_of_its_profile():
    generator = torch.Generator().manual_seed(3)
    for rates in (drop_rates(0.4, 12), drop_rates(0.4, 12, "linear")):
        runs = torch.stack([draw(rates, generator) for _ in range(DRAWS)]).float().mean(0)
        standard_error = (rates * (1 - rates) / DRAWS).sqrt()
        # That all 12 are dropped hardly happens, so nothing need be corrected for it.
        assert ((runs - (1 - rates)).abs() < 4 * standard_error).all()


def test_a_model_is_dropped_by_the_profile_asked_for():
    model = tiny_model(BertModel, 4).train()
    drop = LayerDrop(0.4, profile="linear").attach(model)
    torch.testing.assert_close(drop.rates, torch.tensor([0.1, 0.2, 0.3, 0.4]))
    seen = []
    for step in range(400):
        drop.seed(step)
        with torch.no_grad():
            model(IDS)
        seen.append(drop.runs.clone())
    ran = torch.stack(seen).float().mean(0)
    assert ((ran - (1 - drop.rates)).abs() < 4 * (drop.rates * (1 - drop.rates) / 400).sqrt()).all()


def test_linear_rates_rise_with_the_depth_to_the_rate():
    torch.testing.assert_close(drop_rates(0.4, 4, "linear"), torch.tensor([0.1, 0.2, 0.3, 0.4]))
    assert drop_rates(0.4, 3).tolist() == pytest.approx([0.4, 0.4, 0.4])


@settings(max_examples=100)
@given(
    rate=st.floats(0, 1, exclude_max=True),
    layers=st.integers(1, 30),
    columns=st.integers(1, 4),
    profile=st.sampled_from(PROFILES),
    seed=st.integers(0, 10_000),
)
def test_at_least_one_unit_always_runs(rate, layers, columns, profile, seed):
    rates = drop_rates(rate, layers, profile)[:, None].expand(-1, columns)
    runs = draw(rates, torch.Generator().manual_seed(seed))
    assert runs.shape == rates.shape and runs.any()
    assert runs[rates == 0].all()


@pytest.mark.parametrize("unit", UNITS)
def test_there_is_one_draw_for_each_training_step_and_none_in_evaluation(unit):
    drop, model, _ = twins(BertModel, unit)
    drop.seed(7)
    same_stream = torch.Generator().manual_seed(7)
    for _ in range(8):
        model.train()(IDS)
        assert torch.equal(drop.runs, draw(drop.rates, same_stream))
        model.eval()(IDS)


def test_a_seed_repeats_its_draws_whatever_else_is_random():
    drop, model, _ = twins(BertModel, "layer", dropout=0.1)

    def drawn(seed, others):
        drop.seed(seed)
        torch.manual_seed(others)
        sets = []
        for _ in range(10):
            model(IDS)
            sets.append(drop.runs.tolist())
        return sets

    assert drawn(3, others=0) == drawn(3, others=1) != drawn(4, others=0)


def test_draws_take_nothing_from_the_global_generator():
    _, model, plain = twins(BertModel, "layer", rate=0.9)  # dropout 0: a plain pass draws nothing
    before = torch.get_rng_state()
    plain(IDS)
    assert torch.equal(torch.get_rng_state(), before)
    model(IDS)
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_go_on_where_a_cut_on_trial_skips_the_first_layer():
    drop, model, _ = twins(BertModel, "layer")
    same_stream = torch.Generator().manual_seed(0)
    with only_layers(model, [2, 3]):
        for _ in range(8):
            model(IDS)
            assert torch.equal(drop.runs, draw(drop.rates, same_stream))
    model(IDS)
    assert torch.equal(drop.runs, draw(drop.rates, same_stream))


def test_a_seed_is_followed_by_its_draw_whichever_layer_comes_next():
    drop, model, _ = twins(BertModel, "layer")
    for keep in ([1], [2, 3], [4]):
        drop.seed(3)
        with only_layers(model, keep):
            model(IDS)
        assert torch.equal(drop.runs, draw(drop.rates, torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("unit", UNITS)
def test_frozen_layers_at_the_bottom_always_run_and_those_above_are_drawn(unit):
    drop, model, plain = twins(BertModel, unit, rate=0.8, dtype=torch.float64)
    same_stream = torch.Generator().manual_seed(0)
    for layer in model.encoder.layer[:2]:
        layer.eval()
    found = []
    for _ in range(8):
        found.append(model(IDS)[0])
        assert torch.equal(drop.runs, draw(drop.rates, same_stream))
    if unit != "head":
        runs = which_halves_run(drop).clone()
        runs[:2] = True
        torch.testing.assert_close(found[-1], by_hand(plain, IDS, runs))
    assert any(not torch.equal(one, found[0]) for one in found[1:])


# --- beside the model without it ---------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", EVERY)
def test_at_rate_0_training_is_the_base_models_bit_for_bit(model_class, unit):
    _, model, plain = twins(model_class, unit, rate=0.0, dropout=0.1)
    outputs = []
    for one in (model, plain):
        torch.manual_seed(11)
        outputs.append(one(PADDED_IDS, attention_mask=PADDED_MASK)[0])
        loss(outputs[-1]).backward()
    assert torch.equal(*outputs)
    for name, gradient in gradients(plain).items():
        assert gradient is None or torch.equal(gradient, gradients(model)[name]), name


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", EVERY)
def test_evaluation_is_the_base_models_bit_for_bit_at_any_rate(model_class, unit):
    _, model, plain = twins(model_class, unit, rate=0.9, dropout=0.1)
    model(PADDED_IDS)  # a training step before must leave no trace
    expected = plain.eval()(PADDED_IDS, attention_mask=PADDED_MASK)[0]
    assert torch.equal(model.eval()(PADDED_IDS, attention_mask=PADDED_MASK)[0], expected)


@pytest.mark.parametrize("unit", ["layer", "sublayer", "ffn"])
@pytest.mark.parametrize("model_class", PLAIN)
def test_what_is_dropped_is_the_identity_and_gets_no_gradient(model_class, unit):
    drop, model, plain = twins(model_class, unit, dtype=torch.float64)
    sets = set()
    for seed in range(6):
        drop.seed(seed)
        model.zero_grad()
        plain.zero_grad()
        found = model(IDS)[0]
        expected = by_hand(plain, IDS, which_halves_run(drop))
        torch.testing.assert_close(found, expected)
        loss(found).backward()
        loss(expected).backward()
        assert_same_gradients(gradients(model), gradients(plain))
        sets.add(str(drop.runs.tolist()))
    assert len(sets) >= 3


@pytest.mark.parametrize("model_class", PLAIN)
def test_a_dropped_head_is_one_whose_output_is_zero(model_class):
    """Before the output projection, that is. An attention without any head is left out as a whole."""
    drop, model, plain = twins(model_class, "head", dtype=torch.float64, num_attention_heads=4)

    def zero_dropped_heads(depth):
        def before_projection(module, inputs):
            return (inputs[0] * drop.runs[depth].repeat_interleave(4),)

        return before_projection

    projections = ["attention.output.dense", "attention.out_lin", "attn.c_proj"]
    for depth, layer in enumerate(find_layers(plain)):
        [module] = [module for name, module in layer.named_modules() if name in projections]
        module.register_forward_pre_hook(zero_dropped_heads(depth))
    heads = set()
    for seed in range(8):
        drop.seed(seed)
        model.zero_grad()
        plain.zero_grad()
        found, expected = model(IDS)[0], by_hand(plain, IDS, which_halves_run(drop))
        torch.testing.assert_close(found, expected)
        loss(found).backward()
        loss(expected).backward()
        assert_same_gradients(gradients(model), gradients(plain))
        heads.update(drop.runs.sum(1).tolist())
    assert heads == {0, 1, 2, 3, 4}, "every number of heads was tried"


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", PLAIN)
def test_what_is_dropped_is_not_computed(model_class, unit):
    drop, model, _ = twins(model_class, unit, rate=0.7)
    ran = torch.zeros(4, 2, dtype=torch.bool)

    def tick(depth, half):
        def after_forward(*_):
            ran[depth, half] = True

        return after_forward

    for depth, layer in enumerate(find_layers(model)):
        for name, module in layer.named_modules():
            if unit != "head" and isinstance(module, (nn.Linear, Conv1D)):
                module.register_forward_hook(tick(depth, 0 if name.startswith("att") else 1))
            if unit == "head" and name in ("attention.self", "attention.out_lin", "attn.c_proj"):
                module.register_forward_hook(tick(depth, 0))
            if unit == "head" and name in ("intermediate", "ffn", "mlp"):
                module.register_forward_hook(tick(depth, 1))
    for seed in range(6):
        ran[:] = False
        drop.seed(seed)
        model(IDS)
        assert torch.equal(ran, which_halves_run(drop))


def test_fewer_heads_make_smaller_products():
    drop, model, _ = twins(BertModel, "head", num_attention_heads=4)
    widths = []
    for layer in model.encoder.layer:
        layer.attention.self.query.register_forward_hook(lambda *call: widths.append(call[-1].shape[-1]))
    drop.seed(1)
    model(IDS)
    assert widths == [4 * heads for heads in drop.runs.sum(1).tolist() if heads]
    assert min(widths) < 16


def test_a_fastbert_skips_layers_in_its_own_loop():
    """The exit of a skipped layer sees the states of the layer below."""
    drop, model, plain = twins(FastBertForSequenceClassification, "layer", dtype=torch.float64)
    model.set_stage("joint")
    drop.seed(2)
    found = model.layer_logits(IDS)
    assert 1 <= drop.runs.sum() < 4
    for depth in range(1, 5):
        runs = drop.runs & (torch.arange(4) < depth)
        hidden = by_hand(plain.bert, IDS, runs[:, None].expand(-1, 2))
        torch.testing.assert_close(found[depth - 1], plain.exits[depth - 1](hidden))
    drop.seed(2)
    model(IDS, labels=torch.tensor([0, 1, 0])).loss.backward()
    for runs, layer in zip(drop.runs, model.bert.encoder.layer, strict=True):
        assert (layer.output.dense.weight.grad is not None) == runs


def test_distillation_drops_nothing_as_its_backbone_is_in_evaluation_mode():
    _, model, plain = twins(FastBertForSequenceClassification, "layer", rate=0.9)
    model.set_stage("distill")
    plain.set_stage("distill")
    assert torch.equal(model.layer_logits(IDS), plain.layer_logits(IDS))


def test_all_hidden_states_are_there_with_skipped_layers():
    drop, model, _ = twins(BertModel, "layer")
    states = model(IDS, output_hidden_states=True).hidden_states
    assert len(states) == 5 and not drop.runs.all()
    for depth, runs in enumerate(drop.runs.tolist()):
        assert torch.equal(states[depth], states[depth + 1]) != runs


# --- attach and detach -------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", EVERY)
def test_the_state_dict_stays_and_detach_leaves_nothing(model_class, unit):
    model = tiny_model(model_class).train()
    weights = copy.deepcopy(model.state_dict())
    attributes = {name: set(vars(module)) for name, module in model.named_modules()}
    drop = LayerDrop(0.7, unit).attach(model)
    model(IDS)
    assert list(model.state_dict()) == list(weights)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    drop.detach()
    assert {name: set(vars(module)) for name, module in model.named_modules()} == attributes
    assert torch.equal(model(IDS)[0], tiny_model(model_class).train()(IDS)[0])


def test_attaching_twice_is_refused_until_detached():
    drop, model, plain = twins(BertModel, "layer")
    for attach in (
        lambda: drop.attach(model),
        lambda: drop.attach(plain),
        lambda: LayerDrop(0.1).attach(model),
    ):
        with pytest.raises(ValueError, match="attached already"):
            attach()
    drop.detach()
    LayerDrop(0.1).attach(model)
    assert drop.attach(plain) is drop


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", EVERY)
def test_a_deep_copy_has_gates_of_its_own(model_class, unit):
    drop, model, plain = twins(model_class, unit)
    twin = copy.deepcopy(model)
    own = find_layers(twin)[0].forward.drop
    assert own is not drop
    drawn_before = drop.runs.clone()
    optimizer = torch.optim.SGD(twin.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss(twin(IDS)[0]).backward()
        optimizer.step()
    assert torch.equal(drop.runs, drawn_before)
    assert all(gradient is None for gradient in gradients(model).values())
    assert torch.equal(model.eval()(IDS)[0], plain.eval()(IDS)[0])
    assert not torch.equal(twin.eval()(IDS)[0], plain(IDS)[0])
    own.detach()
    assert drop.patches and not own.patches


@pytest.mark.parametrize("unit", UNITS)
def test_what_stood_before_a_layer_still_does(unit):
    """As accelerate's hooks do: an instance's own `forward`."""
    model, calls = tiny_model(BertModel).train(), []

    class Noted:
        def __init__(self, layer):
            self.forward = layer.forward

        def __call__(self, *inputs, **options):
            calls.append(self)
            return self.forward(*inputs, **options)

    own = [Noted(layer) for layer in model.encoder.layer]
    for layer, forward in zip(model.encoder.layer, own, strict=True):
        layer.forward = forward
    drop = LayerDrop(0.5, unit).attach(model)
    model(IDS)
    wanted = drop.runs.tolist() if unit == "layer" else [True] * 4
    assert calls == [forward for forward, runs in zip(own, wanted, strict=True) if runs]
    drop.detach()
    assert [layer.forward for layer in model.encoder.layer] == own


@pytest.mark.parametrize("unit", UNITS)
def test_attached_inside_a_cut_on_trial(unit):
    """Inside, the cut layers stay skipped; behind it, the LayerDrop is there still, and the cut is not."""
    drop, model, plain = LayerDrop(0.5, unit), tiny_model(BertModel).train(), tiny_model(BertModel).train()
    with only_layers(model, [2, 3]):
        drop.attach(model)
        with only_layers(plain, [2, 3]):
            torch.testing.assert_close(model.eval()(IDS)[0], plain.eval()(IDS)[0])
    twin = LayerDrop(0.5, unit).attach(plain)
    assert torch.equal(model.eval()(IDS)[0], plain.eval()(IDS)[0])
    for _ in range(5):
        assert torch.equal(model.train()(IDS)[0], plain.train()(IDS)[0])
        assert torch.equal(drop.runs, twin.runs)
    drop.detach()
    assert all("forward" not in vars(module) for module in model.modules())


def test_a_second_one_is_refused_inside_a_cut_on_trial_too():
    _, model, _ = twins(BertModel, "layer")
    with only_layers(model, [2]), pytest.raises(ValueError, match="attached already"):
        LayerDrop(0.1).attach(model)


def test_detaching_behind_what_came_later_is_refused():
    drop, model, plain = twins(BertModel, "layer")
    gates = [layer.forward for layer in model.encoder.layer]
    with only_layers(model, [2]), pytest.raises(ValueError, match="something stands before LayerDrop"):
        drop.detach()
    assert [layer.forward for layer in model.encoder.layer] == gates
    drop.detach()
    assert torch.equal(model(IDS)[0], plain(IDS)[0])


@pytest.mark.parametrize("rate", [1, 1.5, -0.1, float("nan")])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match=rf"must lie in \[0, 1\), not {rate}"):
        LayerDrop(rate)


def test_an_unknown_unit_or_profile_is_refused():
    with pytest.raises(ValueError, match=r"unit must be one of .*sublayer.*, not 'layers'"):
        LayerDrop(0.2, "layers")
    with pytest.raises(ValueError, match=r"profile must be one of .*linear.*, not 'cosine'"):
        LayerDrop(0.2, profile="cosine")


def test_an_encoder_decoder_is_refused():
    sizes = {f"{half}_{size}": 2 for half in ("encoder", "decoder") for size in ("layers", "attention_heads")}
    bart = BartModel(BartConfig(vocab_size=60, d_model=16, max_position_embeddings=24, **sizes))
    with pytest.raises(
        ValueError, match=r"BartModel has 2 lists of layers \(encoder.layers, decoder.layers\)"
    ):
        LayerDrop(0.2).attach(bart)


@pytest.mark.parametrize("unit", ["sublayer", "head"])
def test_a_model_whose_parts_are_not_known_is_refused_and_left_as_it_was(unit):
    llama = tiny_model(LlamaModel, num_key_value_heads=2)
    with pytest.raises(ValueError, match="only unit='layer' is known for layers of type LlamaDecoderLayer"):
        LayerDrop(0.2, unit).attach(llama)
    assert all("forward" not in vars(module) for module in llama.modules())


@pytest.mark.parametrize("unit", UNITS)
def test_a_model_without_a_config_is_taken_or_left_as_it_was(unit):
    bert = tiny_model(BertModel).train()
    around = nn.Sequential(bert)
    if unit == "head":
        with pytest.raises(ValueError, match="Sequential has none, so attach to the model inside it"):
            LayerDrop(0.5, unit).attach(around)
        assert all("forward" not in vars(module) for module in bert.modules())
    else:
        drop = LayerDrop(0.5, unit).attach(around)
        around(IDS)
        assert not drop.runs.all()


def test_whatever_goes_wrong_nothing_is_left_attached():
    model = tiny_model(BertModel)
    del model.encoder.layer[2].attention.self.query
    drop = LayerDrop(0.5, "head")
    with pytest.raises(AttributeError, match="query"):
        drop.attach(model)
    assert all("forward" not in vars(module) for module in model.modules())
    assert drop.patches == []


TUPLES = {  # models whose layers put out more than their states, which their code tells or does not
    RoFormerModel: ({}, "RoFormerLayer"),
    GPTNeoModel: ({"attention_types": [[["global", "local"], 2]]}, "GPTNeoBlock"),
    T5EncoderModel: ({}, "T5Block"),
    RemBertModel: ({"input_embedding_size": 16, "output_embedding_size": 16}, "RemBertLayer"),
}


@pytest.mark.parametrize("model_class", [RoFormerModel, GPTNeoModel, T5EncoderModel])
def test_layers_that_put_out_more_than_their_states_are_refused(model_class):
    """Their model would take the first text for the states of all of them."""
    changes, layer = TUPLES[model_class]
    model = tiny_model(model_class, **changes)
    with pytest.raises(ValueError, match=f"layers of type {layer} cannot be skipped"):
        LayerDrop(0.5).attach(model)
    with (
        pytest.raises(ValueError, match=f"layers of type {layer} cannot be skipped"),
        only_layers(model, [2]),
    ):
        pass
    assert all("forward" not in vars(module) for module in model.modules())


@pytest.mark.parametrize("model_class", [RoFormerModel, GPTNeoModel, RemBertModel])
def test_where_their_code_does_not_tell_the_first_pass_does_whichever_is_dropped(model_class, monkeypatch):
    changes, layer = TUPLES[model_class]
    if model_class is not RemBertModel:
        monkeypatch.setattr(layerdrop, "_returns_a_tuple", lambda layer_class: False)
    model = tiny_model(model_class, **changes).train()
    drop = LayerDrop(0.5).attach(model)
    sets = set()
    for seed in range(12):
        drop.seed(seed)
        with pytest.raises(ValueError, match=f"layers of type {layer} cannot be skipped"):
            model(IDS[:2])
        sets.add(str(drop.runs.tolist()))
    assert len(sets) > 5, "layers at the bottom, in the middle and on top were dropped"
    drop.detach()
    for keep in ([1], [2], [4], [1, 3], [2, 3], [3, 4]):
        with only_layers(model, keep), pytest.raises(ValueError, match=f"type {layer} cannot be skipped"):
            model(IDS[:2])


def test_parts_of_layers_that_put_out_more_than_their_states_can_be_dropped():
    """Only a whole layer's output would be misread."""
    drop, model, plain = twins(RoFormerModel, "ffn", rate=0.0)
    assert torch.equal(model(IDS)[0], plain(IDS)[0])


@pytest.mark.parametrize(
    "model_class", [ElectraModel, XLMRobertaModel, GPTNeoXModel, LlamaModel, ConvBertModel]
)
def test_other_makes_of_layers_are_dropped_as_wholes(model_class):
    changes = {"embedding_size": 16, "num_key_value_heads": 2, "conv_kernel_size": 3}
    drop, model, plain = twins(model_class, "layer", **changes)
    for seed in range(5):
        drop.seed(seed)
        found = model(IDS)[0]
        with only_layers(plain, (drop.runs.nonzero().flatten() + 1).tolist()):
            torch.testing.assert_close(found, plain(IDS)[0])


# --- with what else makes training fast --------------------------------------------------------------


def test_no_transformers_is_allowed_that_would_repeat_the_draw_in_backward():
    """Before 5.23 a checkpointed layer was computed anew with its gate, and so was the draw."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [allowed] = [
        wanted.specifier
        for wanted in map(Requirement, project["dependencies"])
        if wanted.name == "transformers"
    ]
    assert "5.23.0" in allowed and "5.22.99" not in allowed


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable. is deprecated")
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", [BertModel, GPT2Model])
def test_gradient_checkpointing_changes_neither_draws_nor_gradients(model_class, unit):
    drop, model, plain = twins(model_class, unit, dropout=0.1, dtype=torch.float64)
    drop_plain = LayerDrop(0.5, unit).attach(plain)
    model.gradient_checkpointing_enable()
    passes = {model: 0, plain: 0}
    for one in passes:
        for layer in find_layers(one):

            def count(*_, one=one):
                passes[one] += 1

            for module in layer.modules():
                module.register_forward_hook(count)
    for step in range(4):
        for one in (model, plain):
            torch.manual_seed(step)
            one.zero_grad()
            loss(one(IDS)[0]).backward()
        assert torch.equal(drop.runs, drop_plain.runs)
        assert_same_gradients(gradients(model), gradients(plain))
    assert passes[model] > 1.5 * passes[plain] > 0, "what is checkpointed is computed twice"


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", EVERY)
def test_bf16_autocast_agrees_with_float32(model_class, unit):
    drop, model, plain = twins(model_class, unit, initializer_range=0.1)
    drop_plain = LayerDrop(0.5, unit).attach(plain)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(IDS)[0]
    expected = plain(IDS)[0]
    assert torch.equal(drop.runs, drop_plain.runs) and not drop.runs.all()
    assert (found - expected).norm() < 0.05 * expected.norm()
    loss(found).backward()
    computed = [gradient for gradient in gradients(model).values() if gradient is not None]
    assert computed and all(gradient.isfinite().all() for gradient in computed)


@pytest.mark.parametrize(
    ("model_class", "unit"),
    [
        (BertModel, "layer"),
        (BertModel, "sublayer"),
        (BertModel, "head"),
        (BertModel, "ffn"),
        (GPT2Model, "layer"),
        (GPT2Model, "head"),
    ],
)
def test_compiling_freezes_no_draw(model_class, unit):
    """A draw inside the compiled graph would be the same for ever; and each draw must not compile anew."""
    drop, model, plain = twins(model_class, unit)
    drop_plain = LayerDrop(0.5, unit).attach(plain)
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    torch.compiler.reset()
    compiled = torch.compile(model, backend=backend)
    sets, graphs_after_warm_up = set(), 0
    for step in range(20):
        found, expected = compiled(IDS)[0], plain(IDS)[0]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        assert torch.equal(drop.runs, drop_plain.runs)
        sets.add(str(drop.runs.tolist()))
        if step == 11:
            graphs_after_warm_up = len(graphs)
    assert len(sets) >= 5
    assert 0 < graphs_after_warm_up == len(graphs)
    code = "".join(graph.code for graph in graphs)
    assert "scaled_dot_product_attention" in code and ("gelu" in code or "tanh" in code)
