"""What the page computes against course_lib, in Node: every exit of every network, whole and cut."""

import random

import numpy as np
import pytest
import torch

from course_lib.explorer.build import page_part
from course_lib.explorer.networks import LAYERDROP, NETWORKS, PLAIN, WORLDS, exit_places, layer_answers
from course_lib.explorer.pack import packed_fastbert
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.exit_rule import uncertainty
from course_lib.models.pruning import prune
from course_lib.paths import CHECKPOINTS
from course_lib.texts.reviews import reviews
from course_lib.texts.worlds import render, ring_to_world, worlds

SPEEDS = (0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
CUTS = {  # what is taken out
    PLAIN: [[2, 5, 9], [12], [1, 2, 3, 4, 5, 6]],
    LAYERDROP: [[1, 3, 5, 7, 9, 11], [12]],
    WORLDS[1]: [[3], [1, 6]],
}
HOW_MANY = {PLAIN: 300, LAYERDROP: 300, WORLDS[0]: 200, WORLDS[1]: 200}


def sentences(name: str, count: int) -> list[str]:
    if name in WORLDS:
        return worlds(num_train=4, num_validation=4, num_test=count)["test"]["text"]
    return ["", "The room was clean 😀", *reviews()["test"]["text"][: count - 2]]


@pytest.fixture(scope="session")
def letters(tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "weights"
    path.write_text(page_part("weights-block"), "utf-8")
    return str(path)


@pytest.fixture(scope="session")
def models(unpacked):
    """The packed networks in PyTorch, and their tokenizers."""
    return {
        name: (packed_fastbert(unpacked[name], CHECKPOINTS / name), load_fastbert(name)[1])
        for name in NETWORKS
    }


@torch.no_grad()
def compare(model, tokenizer, text: str, found: dict) -> float:
    """The largest difference of a probability; the exits must be the same at every speed."""
    inputs = tokenizer(text, truncation=True, return_tensors="pt")
    assert found["ids"] == inputs["input_ids"][0].tolist()
    logits = model.layer_logits(inputs["input_ids"])[:, 0]  # [L, C]
    doubts = np.array([layer["uncertainty"] for layer in found["layers"]])
    ours = np.array([layer["probabilities"] for layer in found["layers"]])
    assert np.allclose(doubts, uncertainty(logits).numpy(), atol=1e-3)
    for speed in SPEEDS:
        place = model.predict(inputs["input_ids"], speed=speed).exit_layer.item() - 1
        mine = next((i for i, doubt in enumerate(doubts[:-1]) if doubt < speed), len(doubts) - 1)
        assert mine == place, (text, speed)
    return np.abs(ours - logits.softmax(-1).numpy()).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_thousand_sentences_get_the_answers_of_course_lib(node, letters, models, name, capsys):
    texts = sentences(name, HOW_MANY[name])
    questions = [{"network": name, "text": text, "out": []} for text in texts]
    found = node({"task": "answer", "weights": letters, "questions": questions})
    worst = max(compare(*models[name], text, each) for text, each in zip(texts, found, strict=True))
    with capsys.disabled():
        print(f"\n{name}: JavaScript differs from PyTorch by {worst:.1e} at most")
    assert worst < 1e-3


@pytest.mark.parametrize("name", CUTS)
def test_with_layers_taken_out_it_is_the_pruned_network(node, letters, models, name):
    model, tokenizer = models[name]
    texts = sentences(name, 20)
    for out in CUTS[name]:
        kept = [depth for depth in range(1, model.config.num_hidden_layers + 1) if depth not in out]
        cut = prune(model, kept)
        questions = [{"network": name, "text": text, "out": out} for text in texts]
        found = node({"task": "answer", "weights": letters, "questions": questions})
        for text, each in zip(texts, found, strict=True):
            assert [layer["depth"] for layer in each["layers"]] == kept
            assert compare(cut, tokenizer, text, each) < 1e-3


@torch.no_grad()
def test_the_shades_of_the_tokens_are_the_exits_attention(node, letters, models):
    model, tokenizer = models[PLAIN]
    text = "房间很干净，但是服务太差"
    inputs = tokenizer(text, return_tensors="pt")["input_ids"]
    question = {"network": PLAIN, "text": text, "out": []}
    (found,) = node({"task": "answer", "weights": letters, "questions": [question]})
    states = model.layer_states(inputs, None, None)
    for exit, (hidden, _), layer in zip(model.exits, states, found["layers"], strict=True):
        narrow = exit.narrow(hidden).tanh()  # [1, T, E]
        query = exit.query(narrow[:, 0]).unflatten(-1, (exit.heads, -1))[0]  # [heads, E/heads]
        key = exit.key_value(narrow).unflatten(-1, (2, exit.heads, -1))[0, :, 0]  # [T, heads, E/heads]
        shares = torch.einsum("hw,thw->ht", query, key).div(query.shape[-1] ** 0.5).softmax(-1).mean(0)
        assert np.allclose(layer["looksAt"], shares.numpy(), atol=1e-4)


def test_packing_changed_little(models):
    """Against the checkpoints themselves: how far rounding may move an answer."""
    texts = reviews()["test"]["text"][:100]
    for name in (PLAIN, LAYERDROP):
        ours = layer_answers(*models[name], texts)
        theirs = layer_answers(*load_fastbert(name), texts)
        difference = (ours - theirs).abs()
        assert difference.mean() < 3e-3 and difference.max() < 0.1, name
        for speed in SPEEDS:
            same = exit_places(ours, speed) == exit_places(theirs, speed)
            assert same.double().mean() >= 0.95, (name, speed)


def test_the_rule_is_that_of_predict(node):
    random.seed(0)
    cases = []
    for _ in range(500):
        exits = random.randint(1, 12)
        doubts = [random.random() for _ in range(random.randint(0, exits))]
        speed = random.choice([0, 1, random.random()])
        cases.append({"uncertainties": doubts, "speed": speed, "exits": exits})
    for case, place in zip(cases, node({"task": "leave", "cases": cases}), strict=True):
        doubts, exits = case["uncertainties"], case["exits"]
        below = [i for i, doubt in enumerate(doubts[: exits - 1]) if doubt < case["speed"]]
        assert place == (below[0] if below else exits - 1 if len(doubts) == exits else -1)


def test_a_draw_takes_out_as_many_as_its_rate_says_and_a_higher_rate_only_more(node):
    rates, draws = [0, 0.1, 0.3, 0.5, 0.9], list(range(1, 801))
    out = node({"task": "draw", "rates": rates, "draws": draws, "layers": 12})
    for each in out:
        assert each[0] == [] and all(len(taken) < 12 for taken in each)
        assert all(set(less) <= set(more) for less, more in zip(each, each[1:], strict=False))
    for place, rate in enumerate(rates[:-1]):  # 0.9 often leaves the one layer that must stay
        mean = np.mean([len(each[place]) for each in out]) / 12
        assert abs(mean - rate) < 4 * np.sqrt(rate * (1 - rate) / (12 * len(draws))) + 1e-9
    assert all(0.2 < np.mean([depth in each[2] for each in out]) < 0.4 for depth in range(1, 13))


def test_the_address_says_what_was_chosen_and_nonsense_is_left_out(node):
    state = {
        "language": "zh",
        "task": "reviews",
        "weights": "layerdrop",
        "text": "好 & 坏#？😀",
        "speed": 0.35,
        "out": [3, 7],
        "rate": 0.2,
        "draw": 5,
        "at": 4,
    }
    hashes = ["", "#speed=7&out=99.x&at=-1&task=cats&language=de", "speed=&out=1.2.3.4.5.6&task=worlds"]
    hashes.append("#speed=0&out=2.2.1")
    found = node({"task": "hash", "hashes": hashes, "states": [state]})
    assert found["again"] == [state]
    assert found["read"] == [{}, {}, {"task": "worlds"}, {"speed": 0, "out": [1, 2]}]


def test_worlds_are_written_as_course_lib_writes_them_and_read_again(node):
    tokenizer = str(CHECKPOINTS / WORLDS[0] / "tokenizer.json")
    found = node({"task": "worlds", "seeds": list(range(50)), "tokenizer": tokenizer})
    for each in found:
        assert sorted(each["ring"]) == list(range(8))
        cases = [(steps, language) for steps in (1, 2, 3, 4) for language in ("zh", "en")]
        for (steps, language), text, parsed in zip(cases, each["texts"], each["parsed"], strict=True):
            assert text == render(ring_to_world(each["ring"], each["ring"][0], steps), language)
            assert parsed == {"ring": each["ring"], "steps": steps}
    assert len({tuple(each["ring"]) for each in found}) == 50


def test_the_examples_keep_what_their_names_promise(node, letters):
    examples = node({"task": "examples"})
    questions = [{"network": PLAIN, "text": each["text"], "out": []} for each in examples]
    found = node({"task": "answer", "weights": letters, "questions": questions})
    layers = {each["name"]: answer["layers"] for each, answer in zip(examples, found, strict=True)}
    first = {name: answer[0] for name, answer in layers.items()}
    assert first["example_clear_blame"]["uncertainty"] < 0.3 > first["example_clear_praise"]["uncertainty"]
    assert (
        first["example_clear_blame"]["probabilities"][0]
        > 0.9
        < first["example_clear_praise"]["probabilities"][1]
    )
    assert first["example_both"]["uncertainty"] < 0.5 and layers["example_both"][-1]["uncertainty"] > 0.9
    turn = layers["example_turn"]
    assert turn[0]["uncertainty"] > 0.5 > turn[1]["uncertainty"] and turn[1]["probabilities"][0] > 0.9
