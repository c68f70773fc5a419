"""The pruning study, on a tiny network: it runs from end to end, and its record says what was cut."""

import json

import pytest
from tiny import tiny_backbone_folder

from course_lib.stages import run_recipe


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    backbone = tiny_backbone_folder(folder / "backbone")
    lines = "\n".join(f"第{number}条很好,1\n第{number}条太差,0" for number in range(60))
    (folder / "mine.csv").write_text(f"text,label\n{lines}\n", encoding="utf-8")
    (folder / "cuts.toml").write_text(
        f'stage = "pruning"\ndata = "{folder / "mine.csv"}"\nseeds = [1]\nkeep = [4, 2, 1]\n'
        f'[backbones.plain]\nname = "{backbone}"\n'
        f'[backbones.layerdrop]\nname = "{backbone}"\nlayer_drop = {{ rate = 0.5 }}\n'
        "[finetune]\nsteps = 3\nlearning_rate = 1e-3\ntokens_per_batch = 256\nhide_tokens = 0.1\n"
    )
    run_recipe(folder / "cuts.toml", runs=folder)
    return json.loads((folder / "cuts-seed1.json").read_text())


def test_every_strategy_is_measured_at_every_depth(record):
    for found in record["metrics"].values():
        assert set(found["cut"]) == {"every_other", "first", "search", "data_driven"}
        for cuts in found["cut"].values():
            assert {keep: len(cut["layers"]) for keep, cut in cuts.items()} == {"2": 2, "1": 1}
            assert all(0 <= cut["accuracy"] <= 1 for cut in cuts.values())
        assert set(found["masked_loss"]) == {"4", "2", "1"} and set(found["cut_then_tuned"]) == {"2", "1"}
        assert found["parameters"]["4"] > found["parameters"]["2"] > found["parameters"]["1"]


def test_layerdrop_trains_another_network(record):
    plain, dropped = record["metrics"]["plain"], record["metrics"]["layerdrop"]
    assert plain["masked_loss"] == dropped["masked_loss"]  # the same backbone
    assert plain["cut"] != dropped["cut"]
