"""A static student for a task: some of its teacher's layers, and the teacher's answers to learn from.

DistilBERT's recipe (Sanh et al. 2019, section 3) on labelled texts: the rival that an early exit must beat,
since it is small for every text and needs no threshold.
"""

import shutil
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cosine_embedding_loss, cross_entropy, kl_div
from transformers import DataCollatorWithPadding

from course_lib.measures.answers import Answers
from course_lib.measures.cost import full_flops
from course_lib.measures.records import write_record
from course_lib.measures.trace import ExitTrace, trace_file
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pruning import every_other, prune
from course_lib.models.students import TEMPERATURE, WEIGHTS
from course_lib.paths import UNFINISHED
from course_lib.texts.batches import tokenise
from course_lib.texts.corpora import load_corpus
from course_lib.texts.shape import fingerprint
from course_lib.training.loop import LoopSettings, seconds_spent, train
from course_lib.training.provenance import begins_with, identity
from course_lib.training.recipes import recipe_columns


class StudentClassifier(nn.Module):
    """The student beside its teacher, which stays as it is.

    The loss is DistilBERT's weighted sum of three: to answer as the teacher does (both softened by
    `TEMPERATURE`), to answer as labelled (in place of the hidden tokens), and to point the last layer's
    states where the teacher's point.
    """

    def __init__(
        self, student: FastBertForSequenceClassification, teacher: FastBertForSequenceClassification
    ):
        super().__init__()
        self.student = student
        self.teacher = [teacher.eval().requires_grad_(False)]  # in a list: not trained, not saved

    def forward(self, input_ids, attention_mask, labels, token_type_ids=None, **_) -> torch.Tensor:
        """input_ids, attention_mask, token_type_ids [B, T], labels [B] -> the weighted sum (nats, but for the
        cosine's)."""
        inputs = input_ids, attention_mask, token_type_ids
        logits, states = _last(self.student, *inputs)
        with torch.no_grad():
            (teacher,) = self.teacher
            taught, targets = _last(teacher.to(input_ids.device), *inputs)
        real = attention_mask.bool()
        soft = (logits / TEMPERATURE).log_softmax(-1), (taught / TEMPERATURE).softmax(-1)
        losses = {
            "distillation": TEMPERATURE**2 * kl_div(*soft, reduction="batchmean"),
            "masked": cross_entropy(logits, labels),
            "cosine": cosine_embedding_loss(states[real], targets[real], torch.ones(1, device=states.device)),
        }
        return sum(WEIGHTS[name] * loss for name, loss in losses.items())


def _last(model: FastBertForSequenceClassification, input_ids, attention_mask, token_type_ids):
    """-> the last exit's logits [B, C], the last layer's states [B, T, H]."""
    *_, (hidden, mask) = model.layer_states(input_ids, attention_mask, token_type_ids)
    return model.exits[-1](hidden, mask), hidden


def train_student(recipe: dict, seed: int, runs: Path, folder: Path) -> dict:
    """Cuts the teacher to `layers` evenly spaced layers, trains them, leaves answers and a run record."""
    start = time.perf_counter()
    corpus = load_corpus(recipe["data"], **recipe_columns(recipe))
    data = fingerprint(corpus)
    teacher, tokenizer = load_fastbert(recipe["teacher"])
    student = prune(teacher, every_other(teacher.config.num_hidden_layers, recipe["layers"]))
    name = f"{recipe['name']}-seed{seed}"
    unfinished = UNFINISHED / name / "student"
    earlier = seconds_spent(unfinished)
    student.set_stage("finetune").train()
    history = train(
        StudentClassifier(student, teacher),
        tokenise(corpus["train"], tokenizer),
        DataCollatorWithPadding(tokenizer),
        LoopSettings(**recipe["finetune"], seed=seed),
        resume_folder=unfinished,
        identity=identity(recipe, [data, seed]),
        title=f"{recipe['name']}, seed {seed}",
    )
    found = {split: answers_of(student, tokenizer, corpus[split]) for split in ("validation", "test")}
    for split, answers in found.items():
        answers.save(trace_file(recipe["name"], seed, split, folder))
    record = {
        "recipe": recipe,
        "seed": seed,
        "data": data,
        "begins_with": begins_with(recipe),
        "metrics": {split: answers.accuracy for split, answers in found.items()},
        "parameters": student.num_parameters(),
        "history": history,
        "seconds": round(earlier + time.perf_counter() - start),
    }
    shutil.rmtree(unfinished.parent, ignore_errors=True)
    return write_record(name, record, runs)


def answers_of(model: FastBertForSequenceClassification, tokenizer, rows) -> Answers:
    """What the last exit answers on a split."""
    trace = ExitTrace.of(model, tokenizer, rows)
    return Answers(
        trace.probabilities[-1].argmax(-1),
        trace.labels,
        float(full_flops(model.config, trace.lengths).mean()),
        model.config.num_hidden_layers,
    )
