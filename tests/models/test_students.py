"""DistilBERT's recipe: what the student begins with, the three losses by hand, and who learns."""

import pytest
import torch
from tiny import tiny_batch, tiny_corpus, tiny_model, tiny_tokenizer
from torch.nn.functional import cosine_similarity, cross_entropy
from transformers import BertForMaskedLM

from course_lib.models.students import TEMPERATURE, WEIGHTS, StudentLanguageModel, new_student


@pytest.fixture
def pair():
    tokenizer = tiny_tokenizer(tiny_corpus(400))
    teacher = tiny_model(BertForMaskedLM, num_hidden_layers=4, vocab_size=len(tokenizer))
    return teacher, new_student(teacher, 2), tokenizer


def batch(tokenizer):
    ids, mask = tiny_batch([9, 5, 12])
    return ids.clamp(max=len(tokenizer) - 1), mask


def test_the_student_begins_with_every_other_layer(pair):
    teacher, student, _ = pair
    ours, theirs = student.bert.encoder.layer, teacher.bert.encoder.layer
    for layer, origin in zip(ours, (theirs[0], theirs[2]), strict=True):
        for one, other in zip(layer.parameters(), origin.parameters(), strict=True):
            assert torch.equal(one, other)
    assert torch.equal(student.cls.predictions.bias, teacher.cls.predictions.bias)


def test_the_loss_by_hand(pair):
    teacher, student, tokenizer = pair
    ids, mask = batch(tokenizer)
    model = StudentLanguageModel(student, tokenizer, teacher)
    torch.manual_seed(3)
    found = model(ids, mask)
    torch.manual_seed(3)
    seen, asked = model.hide(ids)
    outputs = [net(seen, mask, output_hidden_states=True) for net in (student, teacher)]
    ours, theirs = (output.logits[asked] for output in outputs)
    soft = (theirs / TEMPERATURE).softmax(-1)
    divergence = (soft * (soft.log() - (ours / TEMPERATURE).log_softmax(-1))).sum(-1).mean()
    states = [output.hidden_states[-1] for output in outputs]
    angle = (1 - cosine_similarity(*states, dim=-1))[mask.bool()].mean()
    expected = (
        WEIGHTS["distillation"] * TEMPERATURE**2 * divergence
        + WEIGHTS["masked"] * cross_entropy(ours, ids[asked])
        + WEIGHTS["cosine"] * angle
    )
    torch.testing.assert_close(found, expected)


def test_a_student_that_is_its_teacher_has_only_tokens_to_learn(pair):
    teacher, _, tokenizer = pair
    twin = new_student(teacher, 4)
    model = StudentLanguageModel(twin, tokenizer, teacher)
    ids, mask = batch(tokenizer)
    torch.manual_seed(5)
    found = model(ids, mask)
    torch.manual_seed(5)
    seen, asked = model.hide(ids)
    masked = cross_entropy(twin(seen, mask).logits[asked], ids[asked])
    torch.testing.assert_close(found, WEIGHTS["masked"] * masked)


def test_only_the_student_learns(pair):
    teacher, student, tokenizer = pair
    model = StudentLanguageModel(student, tokenizer, teacher)
    assert not any(name.startswith("teacher") for name in model.state_dict())
    model(*batch(tokenizer)).backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(parameter.grad is not None for parameter in student.bert.encoder.parameters())
    model.train()
    assert not teacher.training, "the teacher stays in evaluation"
