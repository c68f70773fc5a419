"""Self-speculative decoding: the same text as the whole network, the same distribution, the counts."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from tiny import tiny_decoder, tiny_model
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from course_lib.models.pruning import prune
from course_lib.models.self_speculation import leftover, speculate, verified

PROMPT = torch.tensor([[1, 7, 9]])
NO_END = {"do_sample": False, "eos_token_id": None, "pad_token_id": 0}


def a_draft(kind: str, model):
    """A draft of each kind: the first layers, a cut of the network, a network that has nothing in common with
    it."""
    if kind == "first layers":
        return 2
    return prune(model, [1, 3]) if kind == "cut" else tiny_decoder(2, seed=99)


KINDS = ["first layers", "cut", "stranger"]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    drafted=st.integers(1, 6),
    threshold=st.sampled_from([0.0, 0.6, 0.9, 1.0]),
    prompt=st.lists(st.integers(0, 39), min_size=1, max_size=5),
)
def test_the_text_is_that_of_plain_greedy_decoding(kind, seed, drafted, threshold, prompt):
    model = tiny_decoder(seed=seed)
    ids = torch.tensor([prompt])
    wanted = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=16, **NO_END)
    found = speculate(model, ids, 16, a_draft(kind, model), drafted, threshold)
    assert len(found.from_draft) == 16 and found.from_draft.sum() == found.accepted <= found.drafted
    if torch.equal(found.sequences, wanted):
        return
    place = int((found.sequences != wanted).nonzero()[0, 1])  # only a tie may go either way in float32
    first, second = model(wanted[:, :place]).logits[0, -1].topk(2).values
    assert first - second < 1e-4 * first.abs()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 3))
def test_in_double_precision_there_are_no_ties(seed, depth):
    model = tiny_decoder(seed=seed).double()
    wanted = model.generate(PROMPT, max_new_tokens=16, **NO_END)
    assert torch.equal(speculate(model, PROMPT, 16, depth).sequences, wanted)


def test_a_draft_that_is_always_right_is_always_accepted():
    """Layers 3 and 4 add nothing: their outputs are zero."""
    model = tiny_decoder()
    for layer in model.transformer.h[2:]:
        for part in (layer.attn.c_proj, layer.mlp.c_proj):
            torch.nn.init.zeros_(part.weight)
            torch.nn.init.zeros_(part.bias)
    for draft in (2, prune(model, [1, 2])):
        found = speculate(model, PROMPT, 15, draft, drafted=4)
        assert (found.drafted, found.accepted, found.rounds) == (12, 12, 3)
        assert found.from_draft.tolist() == ([True] * 4 + [False]) * 3


def test_a_threshold_of_0_never_drafts():
    found = speculate(tiny_decoder(), PROMPT, 5, 2, threshold=0.0)
    assert (found.drafted, found.accepted, found.rounds) == (0, 0, 5)


def test_the_end_ends_also_in_the_middle_of_a_draft():
    model = tiny_decoder()
    text = model.generate(PROMPT, max_new_tokens=16, **NO_END)[0, 3:].tolist()
    stop = text[5]
    for draft in (2, prune(model, [1, 3])):
        found = speculate(model, PROMPT, 16, draft, eos_token_id=stop)
        assert found.sequences[0, 3:].tolist() == text[: text.index(stop) + 1]
        assert len(found.from_draft) == text.index(stop) + 1


def test_one_place_by_enumeration():
    """P(token) = q min(1, p/q) + P(refused) x leftover is p, for every token: the identity behind the
    method."""
    draw = torch.Generator().manual_seed(0)
    for _ in range(20):
        p, q = torch.rand(2, 6, generator=draw, dtype=torch.double).softmax(-1)
        stays = torch.minimum(p, q)
        assert torch.allclose(stays + (1 - stays.sum()) * leftover(p, q), p)


def test_refused_tokens_are_replaced_and_the_rest_of_the_draft_is_dropped():
    one_hot = torch.eye(4)
    q, p = one_hot[[1, 2, 3]], one_hot[[1, 0, 3, 2]]
    kept, following = verified(torch.tensor([1, 2, 3]), q, p)
    assert kept == 1 and following.tolist() == [0]
    kept, following = verified(torch.tensor([1, 2, 3]), q, one_hot[[1, 2, 3, 0]])
    assert kept == 3 and following.tolist() == [0]


@pytest.mark.parametrize("kind", ["first layers", "stranger"])
def test_drawn_texts_have_the_distribution_of_the_whole_network(kind):
    """All texts of 3 tokens over 3, each with its exact probability, against 600 drawn ones."""
    sizes = {"vocab_size": 3, "hidden_size": 8, "max_position_embeddings": 8, "initializer_range": 0.35}
    model = tiny_decoder(3, seed=1, **sizes)
    draft = 1 if kind == "first layers" else tiny_decoder(1, seed=2, **sizes)
    prompt = torch.tensor([[1, 2]])
    texts = torch.tensor(list(product(range(3), repeat=3)))  # [27, 3]
    whole = torch.cat([prompt.expand(27, -1), texts], 1)
    with torch.no_grad():
        steps = (model(whole).logits[:, 1:4] / 0.9).log_softmax(-1)  # [27, 3, 3]
    expected = steps.gather(-1, texts[..., None]).sum((1, 2)).exp()
    assert expected.sum().item() == pytest.approx(1, abs=1e-5)

    draw = torch.Generator().manual_seed(5)
    counts, accepted = torch.zeros(27), 0
    for _ in range(600):
        found = speculate(model, prompt, 3, draft, drafted=2, temperature=0.9, generator=draw)
        first, second, third = found.sequences[0, 2:].tolist()
        counts[9 * first + 3 * second + third] += 1
        accepted += found.accepted
    assert 100 < accepted < 1100, "neither always nor never"
    rare = expected * 600 < 5  # the chi-square test wants five in each class
    assert (~rare).sum() > 10
    observed = [*counts[~rare].tolist(), counts[rare].sum().item()]
    wanted = [*(expected[~rare] * 600).tolist(), expected[rare].sum().item() * 600]
    scale = sum(observed) / sum(wanted)
    assert chisquare(observed, [each * scale for each in wanted]).pvalue > 0.01


def test_generate_takes_the_same_drafts():
    """transformers' own arguments: `assistant_early_exit` (LayerSkip) and `assistant_model`."""
    model = tiny_decoder()
    wanted = model.generate(PROMPT, max_new_tokens=12, **NO_END)
    early = model.generate(PROMPT, max_new_tokens=12, assistant_early_exit=2, **NO_END)
    cut = model.generate(PROMPT, max_new_tokens=12, assistant_model=prune(model, [1, 3]), **NO_END)
    assert torch.equal(early, wanted) and torch.equal(cut, wanted)
    assert model.config.num_hidden_layers == 4, "the config is as it was"


def test_a_gpt2_from_disk_without_exits(tmp_path):
    tiny_model(GPT2LMHeadModel, initializer_range=0.4).save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    wanted = model.generate(PROMPT, max_new_tokens=12, **NO_END)
    for draft in (1, 3, prune(model, [1, 4])):
        assert torch.equal(speculate(model, PROMPT, 12, draft).sequences, wanted)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"draft": 4}, r"1\.\.3, not 4"),
        ({"draft": 0}, r"1\.\.3, not 0"),
        ({"drafted": 0}, "at least 1, not 0"),
        ({"threshold": 2.0}, r"\[0, 1\], not 2"),
        ({"temperature": float("inf")}, "temperature.*inf"),
        ({"draft": tiny_decoder(2, vocab_size=39)}, "39 tokens and the model 40"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        speculate(tiny_decoder(), PROMPT, 4, **{"draft": 2, **changes})
