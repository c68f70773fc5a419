"""Early exit per token: limits, both ways to give missing keys and values, other people's models from
disk."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_decoder, tiny_model
from transformers import AutoModelForCausalLM, BertForMaskedLM, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from course_lib.models.decoder_parts import open_decoder
from course_lib.models.token_exit import (
    MISSING,
    TOKEN_MEASURES,
    decayed,
    generate_with_exits,
    token_uncertainty,
)

PROMPT = torch.tensor([[1, 7, 9]])


def greedy(model, ids=PROMPT, tokens=12):
    return model.generate(ids, max_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0)


def tiny_llama(seed=0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=32, initializer_range=0.4,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("measure", TOKEN_MEASURES)
def test_threshold_0_is_the_whole_network(measure, missing):
    model = tiny_decoder()
    found = generate_with_exits(model, PROMPT, 12, threshold=0.0, measure=measure, missing=missing)
    assert torch.equal(found.sequences, greedy(model))
    assert found.exit_layer.tolist() == [4] * 12 and (found.token_layers, found.filled) == (48, 0)


@pytest.mark.parametrize("missing", MISSING)
def test_threshold_1_leaves_at_the_first_exit_as_a_network_of_one_layer_would(missing):
    model = tiny_decoder()
    found = generate_with_exits(model, PROMPT, 12, threshold=1.0, missing=missing)
    model.config.num_hidden_layers = 1  # as `assistant_early_exit` does it
    assert torch.equal(found.sequences, greedy(model))
    assert found.exit_layer.tolist() == [1] * 12 and (found.token_layers, found.filled) == (12, 0)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), threshold=st.floats(0.5, 1.0))
def test_later_computes_what_the_whole_network_would(seed, threshold):
    """Each answer is that of its exit in one pass over the whole text: all keys and values are exact."""
    model = tiny_decoder(seed=seed).double()
    found = generate_with_exits(model, PROMPT, 12, threshold=threshold, missing="later")
    states = model.layer_states(found.sequences)
    for number, depth in enumerate(found.exit_layer.tolist()):
        logits = model.exit_logits(states[depth - 1][:, 2 + number], depth)
        assert logits.argmax().item() == found.sequences[0, 3 + number].item()
        doubt = token_uncertainty("max_probability", logits, None, None)
        assert doubt.item() == pytest.approx(found.uncertainty[number].item(), abs=1e-6)
        assert doubt < threshold or depth == 4


def test_copy_differs_from_later_and_costs_fewer_layers():
    """Over some random networks: the same exits would be luck."""
    copied = [generate_with_exits(tiny_decoder(seed=seed), PROMPT, 24, threshold=0.8) for seed in range(5)]
    exact = [
        generate_with_exits(tiny_decoder(seed=seed), PROMPT, 24, threshold=0.8, missing="later")
        for seed in range(5)
    ]
    assert any(one.filled for one in copied) and not any(one.filled for one in exact)
    assert any(
        not torch.equal(one.uncertainty, other.uncertainty) for one, other in zip(copied, exact, strict=True)
    )
    for one in copied:
        assert one.token_layers == int(one.exit_layer.sum())
    assert any(other.token_layers > int(other.exit_layer.sum()) for other in exact)


@pytest.mark.parametrize("make", [tiny_decoder, tiny_llama])
def test_filled_keys_and_values_are_those_of_the_exit_state(make):
    """CALM: in the layers above, keys and values are each layer's own projection of the state at the exit."""
    model = make()
    parts = open_decoder(model)
    hidden = parts.run(parts.embed(PROMPT, 0), 1, 1, 0, parts.new_cache())
    by_fill, by_layer = parts.new_cache(), parts.new_cache()
    for place in range(3):
        parts.fill(hidden[:, place : place + 1], 3, place, by_fill)
    parts.run(hidden, 3, 3, 0, by_layer)
    for name in ("keys", "values"):
        one, other = getattr(by_fill.layers[2], name), getattr(by_layer.layers[2], name)
        assert torch.allclose(one, other, atol=1e-5)


def test_measures_by_hand():
    logits = torch.tensor([0.7, 0.2, 0.1]).log()
    state, before = torch.tensor([1.0, 0.0]), torch.tensor([0.6, 0.8])
    assert token_uncertainty("top_2_gap", logits, state, before).item() == pytest.approx(0.5)
    assert token_uncertainty("max_probability", logits, state, before).item() == pytest.approx(0.45)
    assert token_uncertainty("saturation", None, state, before).item() == pytest.approx(0.4)


def test_the_decayed_threshold_by_hand():
    """λ = 0.6: 0.9 x 0.6 + 0.1 = 0.64 at first, 0.54 + 0.1 exp(-4 / 2) halfway."""
    assert decayed(0.4, 0, 10, 4.0) == pytest.approx(0.36)
    assert decayed(0.4, 5, 10, 4.0) == pytest.approx(1 - (0.54 + 0.1 * 0.1353352832))
    thresholds = [decayed(0.4, number, 10, 4.0) for number in range(10)]
    assert thresholds == sorted(thresholds)


def test_a_decay_makes_the_first_tokens_go_deeper():
    model = tiny_decoder(seed=4)
    doubts = generate_with_exits(model, PROMPT, 1, threshold=1.0).uncertainty
    just_enough = float(doubts[0]) + 0.01  # the first exit would do for the first token
    assert generate_with_exits(model, PROMPT, 1, threshold=just_enough).exit_layer.tolist() == [1]
    strict = generate_with_exits(model, PROMPT, 1, threshold=just_enough, decay=0.0)
    assert strict.exit_layer.item() > 1 or float(doubts[0]) < decayed(just_enough, 0, 1, 0.0)


def test_drawn_tokens_follow_the_generator_and_the_end_ends():
    model = tiny_decoder()
    one, other = (
        generate_with_exits(model, PROMPT, 20, temperature=1.0, generator=torch.Generator().manual_seed(1))
        for _ in range(2)
    )
    assert torch.equal(one.sequences, other.sequences)
    stop = int(one.sequences[0, 8])
    ended = generate_with_exits(
        model, PROMPT, 20, temperature=1.0, generator=torch.Generator().manual_seed(1), eos_token_id=stop
    )
    first = one.sequences[0, 3:].tolist().index(stop)
    assert torch.equal(ended.sequences, one.sequences[:, : first + 4])
    assert len(ended.exit_layer) == len(ended.uncertainty) == first + 1


@pytest.mark.parametrize("make", [lambda: tiny_model(GPT2LMHeadModel, initializer_range=0.4), tiny_llama])
def test_other_peoples_models_from_disk(make, tmp_path):
    """A GPT-2 and a Llama (with fewer heads for keys) without trained exits: the final norm and head serve
    all."""
    make().save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    for missing in MISSING:
        found = generate_with_exits(model, PROMPT, 12, threshold=0.0, missing=missing)
        assert torch.equal(found.sequences, greedy(model))
        early = generate_with_exits(model, PROMPT, 12, threshold=0.9, missing=missing)
        assert early.exit_layer.min() < model.config.num_hidden_layers


def test_models_that_cannot_be_opened_are_refused():
    with pytest.raises(ValueError, match="BertForMaskedLM.*not known"):
        open_decoder(tiny_model(BertForMaskedLM))
    other = tiny_decoder()
    layer = other.transformer.h[1]
    plain = layer.attn.c_attn.forward
    layer.attn.c_attn.forward = lambda states: 2 * plain(states)  # `fill` knows nothing of it
    with pytest.raises(ValueError, match="built otherwise"):
        open_decoder(other)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"threshold": 1.5}, r"\[0, 1\], not 1.5"),
        ({"threshold": float("nan")}, "nan"),
        ({"measure": "guess"}, "measure must be one of.*guess"),
        ({"missing": "never"}, "missing must be one of.*never"),
        ({"decay": -1.0}, "decay.*-1"),
        ({"temperature": -0.1}, "temperature.*-0.1"),
        ({"max_new_tokens": 30}, r"1\.\.29.*30"),
        ({"max_new_tokens": 0}, r"1\.\.29.*0"),
        ({"input_ids": torch.ones(2, 3, dtype=torch.long)}, r"one text at a time.*\[2, 3\]"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        generate_with_exits(tiny_decoder(), **{"input_ids": PROMPT, "max_new_tokens": 4, **changes})


def test_a_model_in_training_mode_is_refused():
    with pytest.raises(ValueError, match="eval"):
        generate_with_exits(tiny_decoder().train(), PROMPT, 4)
