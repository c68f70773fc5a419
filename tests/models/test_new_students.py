"""Students that begin anew beside the same backbone and teacher."""

import pytest
import torch
from tiny import tiny_backbone_folder, tiny_batch, tiny_fastbert

from course_lib.models.backbones import load_encoder
from course_lib.models.masked_lm import load_masked_lm
from course_lib.models.new_students import with_new_students


def test_only_the_students_are_new():
    model = tiny_fastbert()
    state = torch.get_rng_state()
    fresh = with_new_students(model, seed=3)
    assert torch.equal(torch.get_rng_state(), state), "the random state outside is left as it is"
    with torch.no_grad():
        old, new = (each.layer_logits(*tiny_batch([5, 9])) for each in (model, fresh))
    torch.testing.assert_close(new[-1], old[-1])
    assert not any(torch.allclose(*pair) for pair in zip(new[:-1], old[:-1], strict=True))
    again = with_new_students(model, seed=3)
    for name, weights in fresh.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name
    assert fresh.exits[0].classifier.weight.data_ptr() != model.exits[0].classifier.weight.data_ptr()


def test_a_backbone_without_its_head_and_with_it(tmp_path):
    folder = str(tiny_backbone_folder(tmp_path / "backbone"))
    encoder, tokenizer = load_encoder(folder)
    bert, _ = load_masked_lm(folder)
    assert encoder.pooler is None and not encoder.training and not bert.training
    ids = tokenizer("好坏", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        states, scores = encoder(ids).last_hidden_state, bert(ids).logits
    torch.testing.assert_close(bert.cls(states), scores)
    with pytest.raises(FileNotFoundError):
        load_encoder(str(tmp_path / "nowhere"))
