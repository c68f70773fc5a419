"""Bytes as printable ASCII, denser than base64: 13 bits in two letters (0.81 bytes a letter instead of 0.75).

The letters are "!" to "~" without "<", which would begin a tag, and "&", which begins an entity: 92 of
them, and 92 · 92 > 2¹³. `explorer/weights.mjs` reads them.
"""

import numpy as np

LETTERS = np.array([code for code in range(ord("!"), ord("~") + 1) if chr(code) not in "<&"], np.uint8)
BITS = 13


def to_letters(block: bytes) -> str:
    """Bytes -> their number, a blank, and the letters; zeros fill up the last group."""
    bits = np.unpackbits(np.frombuffer(block, np.uint8))
    bits = np.concatenate([bits, np.zeros(-len(bits) % BITS, np.uint8)]).reshape(-1, BITS)
    groups = bits @ (1 << np.arange(BITS - 1, -1, -1))  # [groups], each below 2^13
    pairs = np.stack(np.divmod(groups, len(LETTERS)), 1)
    return f"{len(block)} {LETTERS[pairs].tobytes().decode('ascii')}"


def from_letters(text: str) -> bytes:
    """What `to_letters` made -> the bytes."""
    size, _, letters = text.partition(" ")
    digit = np.zeros(128, np.int64)
    digit[LETTERS] = np.arange(len(LETTERS))
    pairs = digit[np.frombuffer(letters.encode("ascii"), np.uint8)].reshape(-1, 2)
    groups = pairs @ (len(LETTERS), 1)
    bits = groups[:, None] >> np.arange(BITS - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()[: int(size)]
