"""Blocks of 4 bits: what comes out of them goes back without loss, and everything else stays near."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.models.blocks import BLOCK, BYTES, fold, unfold

numbers = st.lists(st.integers(0, 15), min_size=BLOCK, max_size=BLOCK)
scales = st.floats(-4, 4, width=16).filter(lambda scale: abs(scale) > 1e-3)


@given(st.lists(st.tuples(scales, numbers), min_size=1, max_size=4))
def test_weights_out_of_blocks_go_back_without_loss(blocks):
    weights = np.array(
        [[(number - 8) * np.float32(scale) for number in each] for scale, each in blocks], np.float32
    )
    packed = fold(weights)
    assert packed.shape == (len(blocks), BYTES) and packed.dtype == np.uint8
    np.testing.assert_array_equal(unfold(packed), weights)


def test_a_block_by_hand():
    scale = np.array([0.5], "<f2").view(np.uint8)
    packed = np.concatenate([scale, np.array([0x9F] + [0x88] * 15, np.uint8)])[None]  # low 15, high 9
    weights = unfold(packed)[0]
    assert weights[0] == 3.5 and weights[16] == 0.5 and (np.delete(weights, [0, 16]) == 0).all()


@given(st.integers(0, 2**32 - 1))
def test_other_weights_are_rounded_to_the_nearest_step(seed):
    weights = np.random.default_rng(seed).normal(0, 0.05, (8, BLOCK)).astype(np.float32)
    error = np.abs(unfold(fold(weights)) - weights)
    step = np.abs(weights).max(1, keepdims=True) / 8
    assert (error <= step * 1.01).all()  # the far end of the other sign has seven steps only
    assert np.median(error / step) < 0.5


def test_zeros_stay_zeros():
    assert (unfold(fold(np.zeros((2, BLOCK), np.float32))) == 0).all()


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        fold(np.full((1, BLOCK), np.inf, np.float32))
