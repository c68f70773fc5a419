"""Networks packed for the page: all of them in one compressed block of bytes, and back again.

A checkpoint is kept as it is (float16), or in whole numbers: each row of a matrix has a step, and a weight is
a multiple of it. Two networks that were trained from the same start differ little, so the second is kept as
its difference from the first. Vectors (biases, LayerNorm) and positions, which are few, stay float16.

    gzip( length of the head, uint32 | head, JSON | numbers, tensor after tensor )

`explorer/weights.mjs` reads it in the page, `unpack` in Python; both find the same float32 numbers.
"""

import gzip
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from course_lib.explorer.round_well import round_to_steps
from course_lib.models.fastbert import FastBertConfig, FastBertForSequenceClassification

MIDDLE = 128  # n is kept as n + MIDDLE in two bytes: the high one, mostly 0, compresses to nothing
REACH = 2**15 - 2 * MIDDLE  # the largest n
FEW = ("position_embeddings", "token_type_embeddings")  # kept as they are
# How many times finer than `steps`, by where errors were seen to be felt more or less; elsewhere 1.
FINENESS = {"value.": 2.0, "attention.output.": 2.0, "encoder.": 0.6}
CONFIG = (  # what the page needs to know of a config
    "num_hidden_layers",
    "hidden_size",
    "num_attention_heads",
    "exit_hidden_size",
    "exit_num_heads",
    "layer_norm_eps",
    "id2label",
)


@dataclass(frozen=True)
class Source:
    """A network to be packed.

    Fields:
        folder: its checkpoint, with model.safetensors, config.json and tokenizer.json.
        steps: how many steps the root mean square of a row is long; None keeps the float16 numbers.
        base: the name of the network from which only the difference is kept.
        moments: of `input_moments`, by which to round well.

    Raises:
        ValueError: `steps` is not above 0.
    """

    folder: Path
    steps: float | None = None
    base: str | None = None
    moments: dict[str, np.ndarray] | None = None

    def __post_init__(self):
        if self.steps is not None and not self.steps > 0:
            raise ValueError(f"steps must be above 0, not {self.steps!r}")


def pack(sources: dict[str, Source]) -> bytes:
    """Networks by name -> the block; a base stands before those that need it.

    Raises:
        ValueError: a base is not packed before; or weights that whole numbers of 16 bits do not reach.
    """
    networks: dict[str, dict] = {}
    tokenizers: list[dict] = []
    numbers: list[bytes] = []
    unpacked: dict[str, dict[str, np.ndarray]] = {}
    for name, source in sources.items():
        if source.base is not None and source.base not in unpacked:
            raise ValueError(f"{name} is kept as a difference from {source.base!r}: pack that before it")
        unpacked[name] = {}
        tensors = []
        for tensor, weight in sorted(load_file(source.folder / "model.safetensors").items()):
            exact = source.steps is None or weight.dim() < 2 or any(part in tensor for part in FEW)
            if exact:
                numbers.append(_two_bytes(weight.half().numpy().view("<i2")))
                unpacked[name][tensor] = weight.half().float().numpy()
            else:
                base = unpacked[source.base][tensor] if source.base else None
                fineness = next((found for part, found in FINENESS.items() if part in tensor), 1.0)
                moments = (source.moments or {}).get(tensor)
                step, whole = quantise(weight.float().numpy(), source.steps * fineness, base, moments)
                numbers += [step.tobytes(), _two_bytes(whole + MIDDLE)]
                unpacked[name][tensor] = restore(step, whole, base)
            tensors.append({"name": tensor, "shape": list(weight.shape), "exact": exact})
        config = json.loads((source.folder / "config.json").read_text("utf-8"))
        tokenizer = json.loads((source.folder / "tokenizer.json").read_text("utf-8"))
        if tokenizer not in tokenizers:
            tokenizers.append(tokenizer)
        networks[name] = {
            "config": {key: config[key] for key in CONFIG},
            "base": source.base,
            "tokenizer": tokenizers.index(tokenizer),
            "tensors": tensors,
        }
    head = json.dumps({"networks": networks, "tokenizers": tokenizers}, ensure_ascii=False).encode()
    return gzip.compress(struct.pack("<I", len(head)) + head + b"".join(numbers), 9, mtime=0)


def quantise(
    weight: np.ndarray,
    steps: float,
    base: np.ndarray | None = None,
    moments: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A matrix [R, I] -> each row's step [R], float32, and whole numbers [R, I], int16.

    Args:
        steps: the root mean square of a row is so many steps long.
        base: [R, I]; only the difference from it is rounded.
        moments: [I, I], see `round_to_steps`.
    """
    weight = weight.astype(np.float64)
    mean = np.sqrt((weight**2).mean(1)) / steps
    step = np.maximum(mean, np.finfo(np.float32).tiny).astype(np.float32)
    whole = round_to_steps(weight - (0 if base is None else base), step.astype(np.float64), moments)
    if np.abs(whole).max() > REACH:
        longest = f"{np.abs(whole).max():.0f}"
        raise ValueError(f"a weight is {longest} steps long; allowed are {REACH}: take fewer steps")
    return step, whole.astype(np.int16)


def restore(step: np.ndarray, whole: np.ndarray, base: np.ndarray | None = None) -> np.ndarray:
    """What `quantise` made -> the matrix [R, I], float32."""
    weight = step.astype(np.float64)[:, None] * whole
    return (weight if base is None else weight + base).astype(np.float32)


def _two_bytes(numbers: np.ndarray) -> bytes:
    """int16 -> all low bytes, then all high bytes: like beside like compresses better."""
    return (numbers & 255).astype(np.uint8).tobytes() + (numbers >> 8).astype(np.int8).tobytes()


def unpack(block: bytes) -> dict[str, dict[str, torch.Tensor]]:
    """What `pack` made -> every network's state dict, float32."""
    data = gzip.decompress(block)
    (length,) = struct.unpack_from("<I", data)
    head, place = json.loads(data[4 : 4 + length]), 4 + length
    networks: dict[str, dict[str, np.ndarray]] = {}

    def take(kind: str, count: int) -> np.ndarray:
        nonlocal place
        found = np.frombuffer(data, kind, count, place)
        place += found.nbytes
        return found

    for name, network in head["networks"].items():
        networks[name] = {}
        for tensor in network["tensors"]:
            shape, exact = tensor["shape"], tensor["exact"]
            count = int(np.prod(shape))
            step = None if exact else take("<f4", shape[0])
            low, high = take("u1", count).astype(np.int16), take("i1", count).astype(np.int16)
            numbers = low + 256 * high
            if exact:
                weight = numbers.view(np.float16).astype(np.float32)
            else:
                base = networks[network["base"]][tensor["name"]] if network["base"] else None
                weight = restore(step, (numbers - MIDDLE).reshape(shape), base)
            networks[name][tensor["name"]] = weight.reshape(shape)
    return {
        name: {tensor: torch.from_numpy(weight.copy()) for tensor, weight in weights.items()}
        for name, weights in networks.items()
    }


def packed_fastbert(weights: dict[str, torch.Tensor], folder: Path) -> FastBertForSequenceClassification:
    """A FastBERT with unpacked weights, in evaluation mode: what the page computes, in PyTorch.

    Args:
        weights: one network of `unpack`.
        folder: the checkpoint that was packed, for its config.
    """
    model = FastBertForSequenceClassification(FastBertConfig.from_pretrained(folder)).float()
    model.load_state_dict(weights)
    return model.eval()
