"""The pool answers as `predict` does, whatever the batch size, and never computes larger batches."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_batch, tiny_fastbert

from course_lib.models.exit_rule import MEASURES, uncertainty
from course_lib.models.pool import predict_pooled


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 24), min_size=1, max_size=20),
    layers=st.integers(1, 5),
    batch_size=st.integers(1, 8),
    speed=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_a_pool_answers_like_one_sentence_at_a_time(lengths, layers, batch_size, speed, seed):
    model = tiny_fastbert(layers, seed=seed)
    ids, _ = tiny_batch(lengths, seed)
    sentences = [row[:length].tolist() for row, length in zip(ids, lengths, strict=True)]
    together = predict_pooled(model, sentences, batch_size, speed)
    assert len(together.logits) == len(sentences)
    for number, sentence in enumerate(sentences):
        one = torch.tensor([sentence])
        doubts = uncertainty(model.layer_logits(one))[:-1]
        if (doubts - speed).abs().lt(1e-4).any():
            continue  # rounding may tip a sentence whose uncertainty is the threshold itself
        alone = model.predict(one, None, speed)
        assert together.exit_layer[number] == alone.exit_layer[0]
        torch.testing.assert_close(together.logits[number], alone.logits[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together.uncertainty[number], alone.uncertainty[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_decides_as_in_predict(measure):
    model = tiny_fastbert(4, num_labels=7)  # top k looks at 5 of the 7
    ids, mask = tiny_batch([9, 3, 24, 7, 7, 12, 2, 18])
    doubts = uncertainty(model.layer_logits(ids, mask), measure)
    speed = doubts[:-1].median().item() + 1e-4
    expected = model.predict(ids, mask, speed, measure)
    sentences = [row[:length].tolist() for row, length in zip(ids, mask.sum(1), strict=True)]
    found = predict_pooled(model, sentences, 3, speed, measure)
    assert found.exit_layer.tolist() == expected.exit_layer.tolist()
    assert len(set(found.exit_layer.tolist())) >= 2
    torch.testing.assert_close(found.uncertainty, expected.uncertainty, atol=1e-4, rtol=1e-4)
    other = next(each for each in MEASURES if each != measure)
    assert found.exit_layer.tolist() != model.predict(ids, mask, speed, other).exit_layer.tolist()


def test_batches_are_filled_up(monkeypatch):
    """Of 64 sentences about half leave at each exit; the deeper batches are full again."""
    model = tiny_fastbert(3)
    ids, mask = tiny_batch([12] * 64)
    doubt = uncertainty(model.layer_logits(ids, mask))
    speeds = [doubt[0].median().item(), 0.0]
    seen = {depth: [] for depth in range(3)}
    for depth, layer in enumerate(model.bert.encoder.layer):
        forward = layer.forward

        def noted(hidden, *rest, depth=depth, forward=forward):
            seen[depth].append(len(hidden))
            return forward(hidden, *rest)

        monkeypatch.setattr(layer, "forward", noted)
    predict_pooled(model, ids.tolist(), 16, speeds)
    stay = int((doubt[0] >= speeds[0]).sum())
    assert seen[0] == [16] * 4
    assert seen[1] == seen[2] == [16] * (stay // 16) + ([stay % 16] if stay % 16 else [])


def test_an_answer_that_is_no_number_leaves_at_the_last_exit():
    model = tiny_fastbert(3)
    torch.nn.init.constant_(model.exits[1].classifier.bias, float("nan"))
    torch.nn.init.constant_(model.exits[2].classifier.bias, float("nan"))
    assert predict_pooled(model, [[2, 5, 3]], speed=0.0).exit_layer.tolist() == [3]


def test_bad_input_is_refused():
    model = tiny_fastbert()
    with pytest.raises(ValueError, match="at least 1, not 0"):
        predict_pooled(model, [[2, 5, 3]], batch_size=0)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        predict_pooled(model, [[2, 5, 3]], speed=2)
    with pytest.raises(ValueError, match="no sentence"):
        predict_pooled(model, [])
    with pytest.raises(ValueError, match="sentence 1 has no token"):
        predict_pooled(model, [[2, 5, 3], []])
    with pytest.raises(ValueError, match="evaluation mode"):
        predict_pooled(model.train(), [[2, 5, 3]])
