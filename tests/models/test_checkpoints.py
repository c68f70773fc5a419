"""Checkpoints: what is saved is what is loaded, and the shipped ones keep their word."""

import json

import pytest
import torch
from tiny import (
    tiny_corpus,
    tiny_decoder,
    tiny_fastbert,
    tiny_fastbert_folder,
    tiny_model,
    tiny_tokenizer,
)
from transformers import BertConfig, BertModel, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from course_lib.measures.trace import ExitTrace
from course_lib.models.checkpoints import load_decoder, load_fastbert, save_checkpoint
from course_lib.models.decoder import ExitDecoderForCausalLM
from course_lib.models.folders import checked
from course_lib.paths import CHECKPOINTS, RUNS, TRACES
from course_lib.texts.corpora import load_corpus
from course_lib.texts.tokenizers import train_poem_characters


@pytest.fixture
def folder(tmp_path):
    return tiny_fastbert_folder(tmp_path / "tiny")


def test_round_trip(folder):
    model, tokenizer = load_fastbert(folder)
    assert not model.training
    ids = tokenizer("好好坏", return_tensors="pt")["input_ids"]
    again, _ = load_fastbert(folder)
    assert torch.equal(model.layer_logits(ids), again.layer_logits(ids))


def test_half_precision_on_disk_is_float32_in_memory(tmp_path):
    tokenizer = tiny_tokenizer(tiny_corpus())
    model = tiny_fastbert(2, vocab_size=len(tokenizer))
    save_checkpoint(tmp_path / "half", model, tokenizer, dtype=torch.float16)
    loaded, _ = load_fastbert(tmp_path / "half")
    for name, value in loaded.state_dict().items():
        expected = model.state_dict()[name]
        assert value.dtype == expected.dtype
        if value.is_floating_point():
            assert torch.equal(value, expected.half().float())


def test_nothing_is_pickled(folder):
    assert {file.suffix for file in folder.iterdir()} <= {".safetensors", ".json"}


def test_unknown_name_and_other_model(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="no checkpoint 'nothing'; the course ships: .*reviews-fastbert"
    ):
        load_fastbert("nothing")
    BertModel(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2)).save_pretrained(
        tmp_path
    )
    with pytest.raises(ValueError, match="'bert' model without trained exits"):
        load_fastbert(tmp_path)


# --- what the course ships --------------------------------------------------------------------------

SHIPPED = ["reviews-fastbert", "reviews-layerdrop-fastbert", "worlds-fastbert", "worlds-layerdrop"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_model_reproduces_its_record(name):
    """Accuracy exit by exit, from the committed weights and the installed corpus, is the recorded one."""
    record = json.loads((RUNS / f"{name}-seed1.json").read_text())
    model, tokenizer = load_fastbert(name)
    rows = load_corpus(record["recipe"]["data"])["test"]
    found = ExitTrace.of(model, tokenizer, rows)
    # Half precision on disk and another processor's rounding may tip a sentence in a thousand.
    assert found.accuracy_by_layer == pytest.approx(record["metrics"]["accuracy_by_layer"], abs=0.003)
    shipped = ExitTrace.load(TRACES / f"{name}-test.safetensors")
    assert shipped.labels.tolist() == rows["label"]
    assert abs(found.probabilities - shipped.probabilities).max() < 0.05


def test_shipped_sizes():
    backbones = ["reviews-backbone", "reviews-layerdrop"]
    for name in [*SHIPPED, *backbones]:
        megabytes = 1 if name.startswith("worlds") else 8
        size = sum(file.stat().st_size for file in checked(CHECKPOINTS / name).iterdir())
        assert size <= megabytes * 1e6, f"{name}: {size / 1e6:.1f} MB"


def test_decoders_of_the_course_and_others_by_folder(tmp_path):
    """Ours, a GPT-2 (which gets exits) and a Llama (which stays one): float32, in evaluation mode."""
    tokenizer = train_poem_characters(["床前明月光，疑是地上霜。"], max_length=30)
    sizes = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    llama = LlamaForCausalLM(LlamaConfig(**sizes, intermediate_size=16, max_position_embeddings=32))
    ours = tiny_decoder()
    torch.nn.init.normal_(ours.exits[0].change.weight)
    plain = tiny_model(GPT2LMHeadModel, vocab_size=40)
    for name, model in (("ours", ours), ("gpt2", plain), ("llama", llama)):
        save_checkpoint(tmp_path / name, model, tokenizer, dtype=torch.float16)
    ids = tokenizer("床前", return_tensors="pt")["input_ids"]
    for name, model in (("ours", ours), ("gpt2", plain), ("llama", llama.eval())):
        loaded, read = load_decoder(tmp_path / name)
        assert isinstance(loaded, LlamaForCausalLM if name == "llama" else ExitDecoderForCausalLM)
        assert loaded.dtype == torch.float32 and not loaded.training
        assert torch.allclose(loaded(ids).logits, model(ids).logits, atol=0.05)
        assert read("床前")["input_ids"] == ids[0].tolist()
    assert torch.equal(
        load_decoder(tmp_path / "ours")[0].exits[0].change.weight, ours.exits[0].change.weight.half().float()
    )
