"""The training loop: exact resume, schedule and clipping that really act."""

import itertools
import json
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer
from transformers import DataCollatorWithPadding

from course_lib.texts.batches import tokenise
from course_lib.training import loop
from course_lib.training.loop import LoopSettings, train


class Interrupted(Exception):
    pass


def trained(folder, settings, stop_at=None, seed=0, **config):
    """A tiny FastBERT after training; `stop_at` pulls the plug before that step's update."""
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    config = {"hidden_dropout_prob": 0.3, **config}
    model = tiny_fastbert(2, num_labels=2, seed=seed, vocab_size=len(tokenizer), **config)
    model.set_stage("joint").train()
    calls = 0

    def plug(*_):
        nonlocal calls
        calls += 1
        if stop_at is not None and calls > stop_at:
            raise Interrupted

    model.register_forward_pre_hook(plug)
    rows, collate = tokenise(corpus["train"], tokenizer), DataCollatorWithPadding(tokenizer)
    history = train(model, rows, collate, settings, folder, checkpoint_minutes=0)
    return model, history


SETTINGS = LoopSettings(learning_rate=1e-3, epochs=3, tokens_per_batch=64, bf16=False, seed=5)


@pytest.mark.parametrize("bf16", [False, True])
def test_resumed_equals_uninterrupted_bit_for_bit(tmp_path, bf16):
    settings = LoopSettings(learning_rate=1e-3, epochs=3, tokens_per_batch=64, bf16=bf16, seed=5)
    whole, history = trained(tmp_path / "whole", settings)
    for stop in (1, 9, 13):  # the second and the third run start from other weights: they must not matter
        with pytest.raises(Interrupted):
            trained(tmp_path / "parts", settings, stop_at=stop, seed=0 if stop == 1 else stop)
        assert (tmp_path / "parts" / "state.safetensors").is_file()
    resumed, resumed_history = trained(tmp_path / "parts", settings, seed=99)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert [entry["step"] for entry in history] == [entry["step"] for entry in resumed_history]
    assert not (tmp_path / "parts").exists(), "a finished run leaves no state behind"


def test_seconds_of_interrupted_processes_add_up(tmp_path, monkeypatch):
    """The clock here goes on by 10 seconds whenever somebody looks at it."""
    looks = itertools.count(step=10)
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(looks)))
    spent = [loop.seconds_spent(tmp_path / "run")]
    for stop in (3, 5):
        with pytest.raises(Interrupted):
            trained(tmp_path / "run", SETTINGS, stop_at=stop)
        spent.append(loop.seconds_spent(tmp_path / "run"))
    assert spent[0] == 0 and spent[1] > 0 and spent[2] > 2 * spent[1]
    trained(tmp_path / "run", SETTINGS)
    assert loop.seconds_spent(tmp_path / "run") == 0, "a finished run leaves no state behind"


def test_a_state_without_seconds_is_taken_up(tmp_path):
    """Earlier versions of the course did not keep them."""
    with pytest.raises(Interrupted):
        trained(tmp_path / "run", SETTINGS, stop_at=9)
    file = tmp_path / "run" / "state.safetensors"
    with safe_open(file, framework="pt") as opened:
        position = json.loads(opened.metadata()["position"])
    del position["seconds"]
    save_file(load_file(file), file, metadata={"position": json.dumps(position)})
    assert loop.seconds_spent(tmp_path / "run") == 0
    resumed, _ = trained(tmp_path / "run", SETTINGS, seed=99)
    whole, _ = trained(None, SETTINGS)
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())


def test_another_seed_gives_other_weights(tmp_path):
    """Otherwise the test above would hold for a loop that does nothing."""
    one, _ = trained(None, SETTINGS)
    other, _ = trained(
        None, LoopSettings(learning_rate=1e-3, epochs=3, tokens_per_batch=64, bf16=False, seed=6)
    )
    assert any(not torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_the_state_of_another_recipe_is_refused(tmp_path):
    with pytest.raises(Interrupted):
        trained(tmp_path / "run", SETTINGS, stop_at=3)
    with pytest.raises(ValueError, match="another recipe"):
        trained(tmp_path / "run", LoopSettings(learning_rate=2e-3, epochs=3, tokens_per_batch=64, bf16=False))


def test_nothing_is_pickled(tmp_path):
    with pytest.raises(Interrupted):
        trained(tmp_path / "run", SETTINGS, stop_at=3)
    assert {file.suffix for file in (tmp_path / "run").iterdir()} == {".safetensors"}


def test_it_learns():
    settings = LoopSettings(learning_rate=5e-3, epochs=25, tokens_per_batch=128, bf16=False)
    _, history = trained(None, settings, hidden_dropout_prob=0.0, initializer_range=0.2)
    losses = [entry["loss"] for entry in history]
    assert losses[-1] < 0.5 * losses[0]


def test_learning_rate_warms_up_and_decays(monkeypatch):
    rates = []
    step = torch.optim.AdamW.step

    def remember(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", remember)
    trained(None, LoopSettings(learning_rate=1e-3, steps=20, warmup=0.5, tokens_per_batch=64, bf16=False))
    assert len(rates) == 20
    assert max(rates) == rates[10] == pytest.approx(1e-3)
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)


def test_gradients_are_clipped(monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def remember(self, *args, **kwargs):
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(torch.stack([gradient.norm() for gradient in gradients]).norm().item())
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", remember)
    trained(None, LoopSettings(learning_rate=1e-3, steps=5, clip=0.01, tokens_per_batch=64, bf16=False))
    assert max(norms) <= 0.0101


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 1e-3}, "steps or epochs"),
        ({"learning_rate": 1e-3, "steps": 1, "epochs": 1}, "steps or epochs"),
        ({"learning_rate": 0, "steps": 1}, "learning_rate must be above 0, not 0"),
        ({"learning_rate": 1e-3, "steps": 1, "warmup": 2}, r"warmup .* \[0, 1\], not 2"),
        ({"learning_rate": 1e-3, "steps": 1, "tokens_per_batch": 0}, "at least 1, not 0"),
        ({"learning_rate": 1e-3, "steps": 0}, "steps must be at least 1, not 0"),
        ({"learning_rate": 1e-3, "epochs": 0}, "epochs must be at least 1, not 0"),
        ({"learning_rate": 1e-3, "steps": -5}, "steps must be at least 1, not -5"),
        ({"learning_rate": 1e-3, "steps": 1, "clip": -1}, "clip must be above 0, not -1"),
        ({"learning_rate": 1e-3, "steps": 1, "weight_decay": -1}, "weight_decay must be at least 0, not -1"),
    ],
)
def test_impossible_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        LoopSettings(**settings)
