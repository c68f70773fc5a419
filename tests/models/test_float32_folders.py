"""Whoever loads what the course has saved can go on training, however they load it."""

import json

import pytest
import torch
from tiny import tiny_batch, tiny_corpus, tiny_fastbert, tiny_model, tiny_tokenizer
from transformers import AutoModelForSequenceClassification, BertForMaskedLM

from course_lib.models.checkpoints import save_checkpoint
from course_lib.models.fastbert import STAGES
from course_lib.paths import CHECKPOINTS


def losses(model, **batch) -> list[float]:
    """A plain loop with the paper's settings, without clipping."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 2e-5)
    found = []
    for _ in range(3):
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("dtype", [None, torch.float16, torch.bfloat16])
def test_the_folder_says_the_precision_of_the_model_and_not_of_the_disk(tmp_path, dtype):
    tokenizer = tiny_tokenizer(tiny_corpus())
    model = tiny_fastbert(2, vocab_size=len(tokenizer))
    save_checkpoint(tmp_path, model, tokenizer, dtype)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["dtype"] == "float32" and config["architectures"] == [type(model).__name__]
    assert model.dtype == torch.float32, "the model itself is left as it was"
    for load in (AutoModelForSequenceClassification, type(model)):
        assert load.from_pretrained(tmp_path).dtype == torch.float32


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_saved_in_half_precision_can_be_trained(tmp_path, stage):
    tokenizer = tiny_tokenizer(tiny_corpus())
    save_checkpoint(tmp_path, tiny_fastbert(2, vocab_size=len(tokenizer)), tokenizer, torch.float16)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path).set_stage(stage).train()
    ids, mask = tiny_batch([9, 3])
    ids = ids % len(tokenizer)
    found = losses(model, input_ids=ids, attention_mask=mask, labels=torch.tensor([0, 1]))
    assert all(loss == loss for loss in found), "not NaN"
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_masked_language_model_too(tmp_path):
    tokenizer = tiny_tokenizer(tiny_corpus())
    save_checkpoint(
        tmp_path, tiny_model(BertForMaskedLM, vocab_size=len(tokenizer)), tokenizer, torch.float16
    )
    model = BertForMaskedLM.from_pretrained(tmp_path).train()
    ids = torch.tensor([[5, 6, 7]]) % len(tokenizer)
    assert all(loss == loss for loss in losses(model, input_ids=ids, labels=ids))


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CHECKPOINTS.glob("*/config.json")))
def test_what_the_course_ships_says_float32(name):
    assert json.loads((CHECKPOINTS / name / "config.json").read_text())["dtype"] == "float32"


def test_a_shipped_fastbert_can_be_trained_as_it_is():
    model = AutoModelForSequenceClassification.from_pretrained(CHECKPOINTS / "worlds-fastbert").train()
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    found = losses(model.set_stage("finetune"), input_ids=ids, labels=torch.tensor([[1]]))
    assert found[0] > found[-1] > 0
