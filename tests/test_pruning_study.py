"""The pruning study, on a tiny network: it runs from end to end, and its record says what was cut."""

import json

import numpy as np
import pytest
import torch
from tiny import tiny_backbone_folder

from course_lib import pruning_study
from course_lib.corpora import from_files
from course_lib.pruning import prune
from course_lib.stages import run_recipe

RECIPE = """
stage = "pruning"
data = "{data}"
backbone = "{backbone}"
seeds = [1]
cut = {cut}
tuned = [2]
{drop}
[finetune]
steps = 3
learning_rate = 1e-3
tokens_per_batch = 256
hide_tokens = 0.1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    tiny_backbone_folder(folder / "backbone")
    lines = "\n".join(f"第{number}条很好,1\n第{number}条太差,0" for number in range(60))
    (folder / "mine.csv").write_text(f"text,label\n{lines}\n", encoding="utf-8")
    return folder


def study(folder, name, cut="[2, 1]", drop=""):
    text = RECIPE.format(data=folder / "mine.csv", backbone=folder / "backbone", cut=cut, drop=drop)
    (folder / f"{name}.toml").write_text(text)
    run_recipe(folder / f"{name}.toml", runs=folder)
    return json.loads((folder / f"{name}-seed1.json").read_text())


@pytest.fixture(scope="module")
def records(folder):
    return study(folder, "plain"), study(folder, "dropped", drop="layer_drop = { rate = 0.5 }")


def test_every_strategy_is_measured_at_every_depth(records):
    for found in (record["metrics"] for record in records):
        assert set(found["cut"]) == {"every_other", "first", "search", "data_driven"}
        for cuts in found["cut"].values():
            assert {keep: len(cut["layers"]) for keep, cut in cuts.items()} == {"2": 2, "1": 1}
        assert found["layers"] == 4
        assert set(found["masked_loss"]) == {"4", "2", "1"} and set(found["cut_then_tuned"]) == {"2"}
        assert found["parameters"]["4"] > found["parameters"]["2"] > found["parameters"]["1"]


def test_what_is_recorded_is_the_accuracy_of_the_network_that_was_cut(folder, monkeypatch):
    """The fine-tuned networks are caught on their way, cut by hand, and asked text by text."""
    caught, drops = [], []
    finetune = pruning_study._finetune

    def noted(model, tokenizer, rows, settings, layer_drop, *rest):
        finetune(model, tokenizer, rows, settings, layer_drop, *rest)
        caught.append((model, tokenizer))
        drops.append(layer_drop)

    monkeypatch.setattr(pruning_study, "_finetune", noted)
    found = study(folder, "caught", drop="layer_drop = { rate = 0.5 }")["metrics"]
    (full, tokenizer), (two, _) = caught
    assert drops == [{"rate": 0.5}, None], "what is tuned after the cut is tuned without LayerDrop"
    rows = from_files(folder / "mine.csv")["test"]

    @torch.no_grad()
    def right(model):
        answers = [
            model(**tokenizer(text, return_tensors="pt")).logits.argmax().item() for text in rows["text"]
        ]
        return np.mean(np.array(answers) == rows["label"])

    assert found["accuracy"] == right(full) and found["cut_then_tuned"]["2"] == right(two)
    for strategy in found["cut"].values():
        for cut in strategy.values():
            assert cut["accuracy"] == right(prune(full, cut["layers"]))
    assert found["parameters"]["2"] == two.num_parameters()


def test_layerdrop_trains_another_network(records):
    plain, dropped = (record["metrics"] for record in records)
    assert plain["masked_loss"] == dropped["masked_loss"]  # the same backbone
    assert plain["cut"] != dropped["cut"]


def test_too_many_layers_are_refused_before_anything_is_trained(folder, monkeypatch):
    monkeypatch.setattr(pruning_study, "train", lambda *_, **__: pytest.fail("it trained"))
    with pytest.raises(ValueError, match="between 1 and 4 can be kept, not 5"):
        study(folder, "odd", cut="[5]")
