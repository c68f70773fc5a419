"""The package's file: a small one of the same format, made here, is read, converted and answers alike."""

import struct

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from course_lib.models import e5_package
from course_lib.models.backbones import load_tokenizer, load_weights
from course_lib.models.blocks import BLOCK, fold, unfold
from course_lib.models.e5_package import convert, read_package, unigram_tokenizer
from course_lib.models.folders import checked
from course_lib.models.vocabulary import cut_vocabulary, needed_pieces
from course_lib.training.backbone import save_packed

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
WORDS = "▁ 房间 干净 ▁room ▁clean 房 间 很 干 净 r o m 太 差 , Ж".split()  # the likeliest first
PIECES = [*SPECIAL, *WORDS, "<mask>"]
SCORES = [0.0] * 4 + [-float(number + 2) for number in range(len(WORDS))] + [0.0]
CONFIG = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96)


def in_blocks(weight: torch.Tensor) -> torch.Tensor:
    """The weights as 4-bit blocks keep them."""
    return torch.from_numpy(unfold(fold(weight.reshape(-1, BLOCK).numpy()))).reshape(weight.shape)


@pytest.fixture(scope="module")
def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        **CONFIG,
        vocab_size=len(PIECES) + 3,
        max_position_embeddings=16,
        pad_token_id=1,
        initializer_range=0.5,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and "position" not in name and "token_type" not in name:
            weight.data = in_blocks(weight.data)
    return model


def write_package(path, bert: BertModel, magic=b"E5S1", version=1, block=BLOCK, left_out=()) -> None:
    """A file of the package's format with the weights of `bert`."""
    names = {value: key for key, value in e5_package.OUTER.items()}
    for number in range(bert.config.num_hidden_layers):
        for short, long in e5_package.INNER.items():
            for part, word in e5_package.PARTS.items():
                names[f"encoder.layer.{number}.{long}.{word}"] = f"l{number}.{short}.{part}"
    config = bert.config
    sizes = (
        config.hidden_size, config.num_hidden_layers, config.num_attention_heads, config.intermediate_size,
        config.vocab_size, config.max_position_embeddings, config.type_vocab_size,
    )  # fmt: skip
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    head = magic + struct.pack("<I7ifi", version, *sizes, 1e-12, block)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    head += ends.astype("<u4").tobytes() + np.array(SCORES, "<f4").tobytes() + blob
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", ord("Ａ"), 1, ord("A"))
    entries, bodies = [], []
    for name, weight in bert.state_dict().items():
        if name in left_out:
            continue
        folded = weight.dim() == 2 and "position" not in name and "token_type" not in name
        rows = weight.reshape(-1, BLOCK).numpy() if folded else weight.numpy()
        bodies.append(fold(rows).tobytes() if folded else rows.astype("<f4").tobytes())
        entries.append((names[name].encode(), int(folded), weight.numel()))
    table_size = 4 + sum(2 + len(name) + 21 for name, _, _ in entries)
    start = len(head) + table_size
    table = struct.pack("<i", len(entries))
    for (name, folded, count), body in zip(entries, bodies, strict=True):
        table += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", folded, count, start, len(body))
        start += len(body)
    path.write_bytes(head + table + b"".join(bodies))


@pytest.fixture
def package(tmp_path, bert):
    write_package(tmp_path / "small.bin", bert)
    return tmp_path / "small.bin"


def test_the_head_says_what_is_in_the_file(package):
    found = read_package(package)
    assert found.pieces == PIECES and found.scores == pytest.approx(SCORES)
    assert found.sizes["layers"] == 2 and found.special["pad"] == 1


def test_the_converted_model_is_the_model_that_was_written(package, bert):
    converted, tokenizer = convert(package)
    inputs = tokenizer(["房间很干净", "room 太差"], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected, found = bert(**inputs).last_hidden_state, converted(**inputs).last_hidden_state
    assert torch.equal(expected, found)


def test_the_tokenizer_reads_as_xlm_r_does(package):
    _, tokenizer = convert(package)
    assert tokenizer.tokenize("房间很干净") == ["▁", "房间", "很", "干净"]
    assert tokenizer.tokenize("ｒｏｏｍ　clean") == ["▁room", "▁clean"]  # full width, a wide blank
    assert tokenizer.tokenize("room   clean\n") == ["▁room", "▁clean"]
    single, pair = tokenizer("很")["input_ids"], tokenizer("很", "太")["input_ids"]
    words = tokenizer.convert_ids_to_tokens
    assert words(single) == ["<s>", "▁", "很", "</s>"]
    assert words(pair) == ["<s>", "▁", "很", "</s>", "</s>", "▁", "太", "</s>"]
    assert tokenizer.mask_token_id == len(PIECES) - 1 and "token_type_ids" not in tokenizer("很")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"magic": b"GGUF"}, "does not begin with E5S1"),
        ({"version": 2}, "version 2"),
        ({"block": 64}, "blocks of 64"),
        ({"left_out": ("embeddings.LayerNorm.weight",)}, "embeddings.LayerNorm.weight is missing"),
    ],
)
def test_another_format_is_refused(tmp_path, bert, change, message):
    write_package(tmp_path / "other.bin", bert, **change)
    with pytest.raises(ValueError, match=message):
        convert(tmp_path / "other.bin")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_file_that_was_cut_short_is_refused(package, share):
    data = package.read_bytes()
    package.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match="small.bin"):
        convert(package)


def test_a_packed_checkpoint_is_smaller_and_loses_nothing(package, tmp_path):
    model, tokenizer = convert(package)
    save_packed(tmp_path / "packed", model, tokenizer)
    model.save_pretrained(tmp_path / "plain")
    loaded = load_weights(BertModel, checked(tmp_path / "packed"))
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name]), name
    size = {
        each: next((tmp_path / each).glob("*.safetensors")).stat().st_size for each in ("packed", "plain")
    }
    assert size["packed"] < size["plain"] / 3
    assert load_tokenizer(tmp_path / "packed", loaded.config).tokenize("房间") == ["▁", "房间"]


def test_a_plain_folder_is_read_by_transformers_alone(package, tmp_path):
    model, tokenizer = convert(package)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False)
    inputs = AutoTokenizer.from_pretrained(tmp_path)("房间很干净", return_tensors="pt")
    with torch.no_grad():
        assert torch.equal(loaded(**inputs).last_hidden_state, model(**inputs).last_hidden_state)


def test_a_cut_vocabulary_reads_its_texts_as_before(package):
    model, tokenizer = convert(package)
    keep = needed_pieces(tokenizer, ["room clean"])
    smaller, shorter = cut_vocabulary(model, tokenizer, keep)
    assert len(shorter) == len(keep) < len(tokenizer) + 3 == model.config.vocab_size
    for text in ("房间很干净", "room 太差", "moor"):  # single characters and Chinese pieces stay
        before, after = tokenizer(text, return_tensors="pt"), shorter(text, return_tensors="pt")
        assert tokenizer.convert_ids_to_tokens(before["input_ids"][0]) == shorter.convert_ids_to_tokens(
            after["input_ids"][0]
        )
        with torch.no_grad():
            assert torch.equal(model(**before).last_hidden_state, smaller(**after).last_hidden_state)


def test_pieces_that_nobody_needs_go():
    pieces = [*PIECES[:-1], "▁hotel", "<mask>"]
    tokenizer = unigram_tokenizer(pieces, [*SCORES[:-1], -30.0, 0.0])
    keep = needed_pieces(tokenizer, ["room"])
    assert pieces.index("▁hotel") not in keep and pieces.index("▁clean") not in keep
    assert {pieces.index(piece) for piece in ("▁room", "房间", "Ж", "<mask>", "<pad>")} <= set(keep)
