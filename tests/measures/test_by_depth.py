"""A decoder's exits on texts: loss and agreement against sums by hand, cuts against pruned networks."""

import math

import pytest
import torch
from tiny import tiny_decoder

from course_lib.measures.by_depth import cut_losses, figures_by_depth, last_loss, text_batches
from course_lib.models.pruning import prune
from course_lib.texts.tokenizers import train_poem_characters

TEXTS = ["甲乙，丙丁。", "丙乙，甲。", "丁丁丁丁", "山甲。"]  # 山 is unknown


@pytest.fixture
def batches():
    return text_batches(TEXTS, train_poem_characters(["甲乙丙丁，。"], max_length=20), tokens_per_batch=16)


def test_losses_are_the_mean_over_all_tokens_asked_for(batches):
    model = tiny_decoder()
    found = figures_by_depth(model, batches)
    assert (
        found.tokens == sum(len(text) + 1 for text in TEXTS) - 1
    )  # each with its end, without the unknown one
    for depth in (1, 4):
        total, same = 0.0, 0
        for batch in batches:
            for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
                states = model.layer_states(ids[None])
                early = model.exit_logits(states[depth - 1], depth)[0].log_softmax(-1)
                last = model.exit_logits(states[-1], 4)[0]
                for place in range(len(ids) - 1):
                    if (label := int(labels[place + 1])) >= 0:
                        total -= float(early[place, label])
                        same += int(early[place].argmax() == last[place].argmax())
        assert found.loss[depth - 1] == pytest.approx(total / found.tokens, rel=1e-4)
        assert found.agreement[depth - 1] == pytest.approx(same / found.tokens)
    assert found.agreement[-1] == 1
    assert found.perplexity == pytest.approx([math.exp(loss) for loss in found.loss])
    assert last_loss(model, batches) == pytest.approx(found.loss[-1], rel=1e-5)


def test_a_cut_on_trial_has_the_loss_of_the_pruned_network(batches):
    model = tiny_decoder()
    found = cut_losses(model, batches, [[1, 3], [2]])
    assert found[1, 3] == pytest.approx(last_loss(prune(model, [1, 3]), batches), rel=1e-5)
    assert set(found) == {(1, 3), (2,)} and found[2,] != found[1, 3]
    assert torch.isfinite(torch.tensor(last_loss(model, batches)))
