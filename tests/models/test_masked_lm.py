"""Masked language modelling and stacking."""

import pytest
import torch
from tiny import SIZES, tiny_batch, tiny_corpus, tiny_tokenizer

from course_lib.models.masked_lm import MaskedLanguageModel, new_masked_lm, stack

BERT = {key: SIZES[key] for key in ("hidden_size", "num_attention_heads", "intermediate_size")}


@pytest.fixture
def tokenizer():
    return tiny_tokenizer(tiny_corpus(400))


def test_what_is_hidden(tokenizer):
    torch.manual_seed(0)
    model = MaskedLanguageModel(new_masked_lm(tokenizer, 1, **BERT), tokenizer, mask_rate=0.3)
    ids = torch.randint(5, len(tokenizer), (400, 20))
    ids[:, 0], ids[:, -1] = tokenizer.cls_token_id, tokenizer.pad_token_id
    seen, asked = model.hide(ids)
    assert not asked[:, 0].any() and not asked[:, -1].any(), "special tokens are never asked for"
    inner = asked[:, 1:-1]
    assert inner.float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(seen[~asked], ids[~asked])
    masked = (seen[asked] == tokenizer.mask_token_id).float().mean().item()
    kept = (seen[asked] == ids[asked]).float().mean().item()
    assert masked == pytest.approx(0.8, abs=0.03)
    assert 0.07 < kept < 0.16  # 10 %, and a random token that happens to be the right one


def test_the_loss_is_that_of_transformers(tokenizer):
    torch.manual_seed(0)
    bert = new_masked_lm(tokenizer, 2, **BERT).eval()
    model = MaskedLanguageModel(bert, tokenizer).eval()
    ids = tiny_batch([9, 5, 12])[0].clamp(max=len(tokenizer) - 1)
    mask = (ids != 0).long()
    torch.manual_seed(3)
    found = model(ids, mask)
    torch.manual_seed(3)
    seen, asked = model.hide(ids)
    expected = bert(seen, attention_mask=mask, labels=ids.masked_fill(~asked, -100)).loss
    torch.testing.assert_close(found, expected)


def test_stacking_repeats_the_layers(tokenizer):
    shallow = new_masked_lm(tokenizer, 2, **BERT)
    deep = stack(shallow, 6)
    assert deep.config.num_hidden_layers == 6 and shallow.config.num_hidden_layers == 2
    for number, layer in enumerate(deep.bert.encoder.layer):
        below = shallow.bert.encoder.layer[number % 2].state_dict()
        assert all(torch.equal(value, below[name]) for name, value in layer.state_dict().items())
    rest = {name: value for name, value in shallow.state_dict().items() if ".layer." not in name}
    assert all(torch.equal(value, deep.state_dict()[name]) for name, value in rest.items())
    with pytest.raises(ValueError, match="2 layers can be stacked to a multiple of 2, not 5"):
        stack(shallow, 5)


@pytest.mark.parametrize("rate", [0, 1, -0.1])
def test_impossible_mask_rate(tokenizer, rate):
    with pytest.raises(ValueError, match=r"mask_rate must lie in \(0, 1\)"):
        MaskedLanguageModel(new_masked_lm(tokenizer, 1, **BERT), tokenizer, mask_rate=rate)
