"""What lesson 02 trains live: the same twice, without labels, and nothing but what the stage trains."""

import pytest
import torch
from tiny import SIZES, tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.tables.stages import trained_weights
from course_lib.texts.batches import tokenise
from course_lib.training.live import distil_live, pretrain_live

CORPUS = tiny_corpus()
TOKENIZER = tiny_tokenizer(CORPUS)
ROWS = tokenise(CORPUS["train"].select_columns("text"), TOKENIZER)
BERT = {key: SIZES[key] for key in ("hidden_size", "num_attention_heads", "intermediate_size")}
RECIPE = {"model": BERT, "phases": [{"layers": 2, "learning_rate": 1e-2}]}


def test_pretraining_lowers_the_loss_and_is_the_same_twice(capsys):
    bert, history = pretrain_live(RECIPE, TOKENIZER, ROWS, steps=40)
    assert bert.config.num_hidden_layers == 2 and not bert.training
    assert [entry["step"] for entry in history] == list(range(1, 41))
    assert sum(each["loss"] for each in history[-5:]) < sum(each["loss"] for each in history[:5])
    again, _ = pretrain_live(RECIPE, TOKENIZER, ROWS, steps=40)
    for name, weights in bert.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name
    assert not capsys.readouterr().err, "a lesson's output has no progress bar"


def test_only_students_learn_and_they_come_nearer_to_the_teacher():
    model = tiny_fastbert(num_labels=2)
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    little, much = (distil_live(model, TOKENIZER, ROWS, steps, learning_rate=1e-2) for steps in (1, 40))
    assert all(torch.equal(weights, before[name]) for name, weights in model.state_dict().items())
    students = [name for name in before if name.startswith("exits.") and not name.startswith("exits.3.")]
    for name, weights in much.state_dict().items():
        assert name in students or torch.equal(weights, before[name]), name
    inputs = {"input_ids": torch.tensor([ROWS[0]["input_ids"]])}
    with torch.no_grad():
        losses = [each.set_stage("distill")(**inputs).loss.item() for each in (little, much)]
    assert losses[1] < losses[0]


def test_what_each_stage_trains():
    model = tiny_fastbert().set_stage("joint")
    trained = trained_weights(model)
    exits = [sum(weights.numel() for weights in exit.parameters()) for exit in model.exits]
    backbone = sum(weights.numel() for weights in model.bert.parameters())
    assert trained == {"pretrain": backbone, "finetune": backbone + exits[-1], "distil": sum(exits[:-1])}
    assert model.stage == "joint", "it is put back"


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 1, not 0"):
        distil_live(tiny_fastbert(num_labels=2), TOKENIZER, ROWS, steps=0)
