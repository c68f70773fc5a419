"""The networks packed for the page: what goes in comes out, as finely as was asked."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.explorer.build import PAGE
from course_lib.explorer.letters import from_letters, to_letters
from course_lib.explorer.networks import NETWORKS, WORLDS, exit_places
from course_lib.explorer.pack import Source, pack, quantise, restore, unpack
from course_lib.explorer.round_well import input_moments, round_to_steps
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.folders import checked
from course_lib.paths import CHECKPOINTS

WORLD, OTHER = (CHECKPOINTS / name for name in WORLDS)


@given(st.binary(max_size=300))
def test_letters_give_the_bytes_back_and_end_no_script(block):
    text = to_letters(block)
    assert from_letters(text) == block
    assert text.isascii() and text.isprintable() and not set(text) & set("<&")


def test_a_network_kept_as_it_is_comes_back_to_the_bit():
    back = unpack(pack({"world": Source(WORLD)}))["world"]
    model, _ = load_fastbert(WORLD)
    weights = model.state_dict()
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name], weights[name]) for name in back)


def test_more_steps_are_finer_and_half_a_step_is_the_most_that_is_lost():
    weight = np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
    lost = []
    for steps in (8, 32, 128):
        step, whole = quantise(weight, steps)
        assert np.allclose(step, np.sqrt((weight**2).mean(1)) / steps, rtol=1e-5)
        lost.append(np.abs(restore(step, whole) - weight))
        assert (lost[-1] <= step[:, None] * 0.5001).all()
    assert lost[0].mean() > 3 * lost[1].mean() > 9 * lost[2].mean()


def test_a_difference_needs_fewer_bytes_and_loses_no_more():
    whole = {"world": Source(WORLD, 40.0)}
    alone = pack(whole | {"other": Source(OTHER, 40.0)})
    together = pack(whole | {"same": Source(WORLD, 40.0, "world"), "other": Source(OTHER)})
    back = unpack(together)
    weights = load_fastbert(WORLD)[0].state_dict()
    for name in weights:
        error = (back["same"][name] - weights[name]).abs().max()
        assert error <= (back["world"][name] - weights[name]).abs().max() + 1e-6
    only = pack(whole | {"other": Source(OTHER)})
    assert len(together) - len(only) < len(alone) - len(pack(whole))


@pytest.mark.parametrize("steps", [0, -1.0, float("nan")])
def test_steps_must_be_above_0(steps):
    with pytest.raises(ValueError, match=f"above 0, not {steps}"):
        Source(WORLD, steps)


def test_a_base_must_stand_before():
    with pytest.raises(ValueError, match="'nobody'"):
        pack({"world": Source(WORLD, 40.0, "nobody")})


def test_a_row_that_is_too_long_for_its_steps_is_refused():
    with pytest.raises(ValueError, match="take fewer steps"):
        quantise(np.eye(1, 10_000, dtype=np.float32) + 1e-6, 1000)


def test_a_row_of_zeros_stays_one():
    step, whole = quantise(np.zeros((1, 8), np.float32), 10)
    assert (restore(step, whole) == 0).all() and step > 0


def test_rounding_well_changes_the_answers_less_where_inputs_are_alike():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(500, 6)) @ random.normal(size=(6, 48)) + 0.1 * random.normal(size=(500, 48))
    weight, step = random.normal(size=(20, 48)), np.full(20, 0.1)
    error = {}
    for name, moments in (("nearest", None), ("well", inputs.T @ inputs)):
        whole = round_to_steps(weight, step, moments)
        assert (whole == np.rint(whole)).all()
        error[name] = np.square(inputs @ (step[:, None] * whole - weight).T).mean()
    assert error["well"] < 0.5 * error["nearest"]


def test_moments_are_those_of_the_layers_inputs():
    model, tokenizer = load_fastbert(WORLD)
    batch = tokenizer("小明拿着球，传2次。", return_tensors="pt")
    moments = input_moments(model, [batch, batch])
    with torch.no_grad():
        embedded = model.bert.embeddings(batch["input_ids"])[0].double()  # [T, H], the input of layer 1
    name = "bert.encoder.layer.0.attention.self.query.weight"
    assert np.allclose(moments[name], 2 * (embedded.T @ embedded).numpy(), rtol=1e-6, atol=1e-8)
    assert set(moments) == {
        f"{name}.weight" for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)
    } - {name for name in model.state_dict() if name.startswith("exits.")}


def test_the_page_holds_the_checkpoints_of_today(unpacked):
    """Worlds to the bit; reviews near enough that no weight is far off."""
    assert set(unpacked) == set(NETWORKS)
    for name, back in unpacked.items():
        weights = FastBertForSequenceClassification.from_pretrained(
            checked(name), dtype=torch.float32
        ).state_dict()
        for tensor, weight in weights.items():
            if name in WORLDS or weight.dim() < 2:
                assert torch.equal(back[tensor], weight), (name, tensor)
            else:
                assert (back[tensor] - weight).norm() < 0.06 * weight.norm(), (name, tensor)


def test_the_file_is_small_enough():
    assert PAGE.stat().st_size <= 8_000_000


def test_an_exit_place_is_the_first_below_the_speed_and_the_last_always_answers():
    certain, unsure = [0.99, 0.01], [0.5, 0.5]
    answers = torch.tensor([[unsure, certain, unsure], [certain, unsure, unsure], [unsure, unsure, unsure]])
    assert exit_places(answers, 0.5).tolist() == [1, 0, 2]
    assert exit_places(answers, 0.0).tolist() == [2, 2, 2]
