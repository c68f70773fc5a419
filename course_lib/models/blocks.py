"""Weights in blocks of 4 bits: how a BERT of 31 million parameters fits into 20 megabytes.

A block is 32 weights that share one scale: weight = (number - 8) * scale, with whole numbers from 0 to 15.
It takes 18 bytes: the scale (float16), then 16 bytes of two numbers each; the low four bits belong to the
weights 0..15, the high ones to 16..31. (llama.cpp calls the format Q4_0.) Weights that come out of such
blocks go back into them without loss; others are rounded.

Shapes: N blocks.
"""

import numpy as np

BLOCK = 32  # weights
BYTES = 2 + BLOCK // 2


def unfold(blocks: np.ndarray) -> np.ndarray:
    """Bytes [N, 18] -> weights [N, 32], float32."""
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)  # [N, 1]
    packed = blocks[:, 2:]
    numbers = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)  # [N, 32]
    return (numbers - 8) * scales


def fold(weights: np.ndarray) -> np.ndarray:
    """Weights [N, 32] -> bytes [N, 18]; without loss if they came out of `unfold`.

    Raises:
        ValueError: a weight is not finite.
    """
    weights = weights.astype(np.float32)
    if not np.isfinite(weights).all():
        raise ValueError("weights that are not finite cannot be put into blocks")
    # The weight farthest from 0 gets the number 0, as only that end reaches eight steps; its sign is turned.
    farthest = np.take_along_axis(weights, np.abs(weights).argmax(1)[:, None], axis=1)  # [N, 1]
    scales = _exact_scale(weights, (farthest / -8).astype(np.float16))
    divisor = np.where(scales == 0, 1, scales).astype(np.float32)
    numbers = np.clip(np.rint(weights / divisor) + 8, 0, 15).astype(np.uint8)
    packed = numbers[:, : BLOCK // 2] | numbers[:, BLOCK // 2 :] << 4
    return np.concatenate([scales.astype("<f2").view(np.uint8), packed], axis=1)


def _exact_scale(weights: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """The scale [N, 1] of blocks whose weights are whole multiples of one; the guess where there is none.

    A block whose farthest weight is fewer than eight steps away has another scale than `guess`.
    """
    scales = guess.copy()
    farthest = np.abs(weights).max(1, keepdims=True)
    unsolved = np.ones(len(weights), dtype=bool)
    for steps in range(8, 0, -1):
        for sign in (-1, 1):
            tried = (sign * farthest / steps).astype(np.float16)
            step = np.where(tried == 0, 1, tried).astype(np.float32)
            numbers = np.rint(weights / step)
            fits = (numbers * step == weights).all(1) & (numbers.min(1) >= -8) & (numbers.max(1) <= 7)
            chosen = unsolved & fits
            scales[chosen] = tried[chosen]
            unsolved &= ~chosen
    return scales
