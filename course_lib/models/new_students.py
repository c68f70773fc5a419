"""A FastBERT before its self-distillation: the same backbone and teacher, students that know nothing."""

import torch

from course_lib.models.fastbert import FastBertForSequenceClassification as FastBert


def with_new_students(model: FastBert, seed: int) -> FastBert:
    """A copy of `model` in evaluation mode whose students have random weights, drawn from `seed`.

    All but the last exit are students. The random state outside is left as it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = FastBert(model.config)
    fresh.bert.load_state_dict(model.bert.state_dict())
    fresh.exits[-1].load_state_dict(model.exits[-1].state_dict())
    return fresh.eval()
