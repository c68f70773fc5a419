"""A static student: it learns from its teacher, leaves answers and a record, and trains no student exits."""

import pytest
import torch
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.answers import Answers, contender, load_answers
from course_lib.models.checkpoints import save_checkpoint
from course_lib.models.pruning import every_other, prune
from course_lib.training import student
from course_lib.training.student import StudentClassifier, answers_of, train_student

RECIPE = {
    "name": "tiny-student-2",
    "stage": "student",
    "data": "reviews",
    "seeds": [1],
    "layers": 2,
    "finetune": {"learning_rate": 1e-2, "steps": 4, "bf16": False},
}


@pytest.fixture
def teacher(tmp_path, monkeypatch):
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_hidden_layers=4, num_labels=2, vocab_size=len(tokenizer))
    save_checkpoint(tmp_path / "teacher", model, tokenizer)
    monkeypatch.setattr(student, "load_corpus", lambda name: corpus)
    monkeypatch.setattr(student, "UNFINISHED", tmp_path / "unfinished")
    return tmp_path / "teacher", corpus


def test_a_student_leaves_answers_and_a_record(teacher, tmp_path):
    folder, corpus = teacher
    record = train_student(RECIPE | {"teacher": str(folder)}, 1, tmp_path / "runs", tmp_path / "answers")
    (answers,) = load_answers("tiny-student-2", "test", tmp_path / "answers")
    assert answers.labels.tolist() == list(corpus["test"]["label"])
    assert record["metrics"]["test"] == answers.accuracy and answers.layers == 2
    assert (tmp_path / "runs" / "tiny-student-2-seed1.json").is_file()
    assert not (tmp_path / "unfinished" / "tiny-student-2-seed1").exists()
    assert contender("student-2", [answers]).right.shape == (1, len(corpus["test"]))


def test_only_the_layers_and_the_last_exit_learn_and_the_teacher_stays():
    model = tiny_fastbert(num_hidden_layers=4)
    smaller = prune(model, every_other(4, 2)).set_stage("finetune").train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    ids, mask = torch.tensor([[2, 10, 11, 3], [2, 20, 3, 0]]), torch.tensor([[1] * 4, [1, 1, 1, 0]])
    StudentClassifier(smaller, model)(ids, mask, torch.tensor([0, 1])).backward()
    learned = {name for name, weight in smaller.named_parameters() if weight.grad is not None}
    assert not any(name.startswith("exits.0.") for name in learned)
    assert any(name.startswith("exits.1.") for name in learned) and any("encoder" in name for name in learned)
    assert all(weight.grad is None for weight in model.parameters())
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())


def test_a_student_that_is_its_teacher_has_only_the_labels_left_to_learn():
    model = tiny_fastbert(num_hidden_layers=3)
    whole = prune(model, [1, 2, 3]).set_stage("finetune").eval()
    ids, mask = torch.tensor([[2, 10, 11, 3]]), torch.ones(1, 4, dtype=torch.long)
    labels = torch.tensor([1])
    loss = StudentClassifier(whole, model)(ids, mask, labels)
    expected = 2 * torch.nn.functional.cross_entropy(model(ids, mask).logits, labels)  # DistilBERT's weight
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)


def test_answers_come_back_from_their_file(tmp_path, teacher):
    folder, corpus = teacher
    model = tiny_fastbert(num_hidden_layers=4, num_labels=2, vocab_size=len(tiny_tokenizer(corpus)))
    found = answers_of(model, tiny_tokenizer(corpus), corpus["test"])
    found.save(tmp_path / "a.safetensors")
    loaded = Answers.load(tmp_path / "a.safetensors")
    assert loaded.flops == found.flops and loaded.layers == 4
    assert loaded.predictions.tolist() == found.predictions.tolist()
    with pytest.raises(FileNotFoundError, match="course train"):
        Answers.load(tmp_path / "none.safetensors")
