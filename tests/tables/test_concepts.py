"""The tables of lessons 01 and 02: their numbers are those of the sources, and change with them."""

import math

import pytest
import torch
from tiny import tiny_backbone_folder

from course_lib import words
from course_lib.measures import published as published_module
from course_lib.measures.prices import Prices
from course_lib.models.masked_lm import load_masked_lm
from course_lib.tables import concepts, stages

PRICES = {
    "whole": Prices(100, 1e6, 4.0, 12, 1.0, 1.0, 1.0, 5),
    "cut": Prices(60, 5e5, 2.2, 6, 100 / 60, 2.0, 1.82, 5),
    "exits": Prices(103, 2e5, 1.0, 2.5, 100 / 103, 5.0, 4.0, 5),
}


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


def test_families_say_how_each_number_is_known():
    table = concepts.families_table(PRICES, stored=6.8)
    how = table.iloc[:, -1]
    here = [name == words.t("family.here") for name in how]
    assert sum(here) == 3 and all(
        each or str(name) not in ("", "nan") for each, name in zip(here, how, strict=True)
    )
    by_example = table.set_index(words.t("family.example"))
    assert by_example.loc[words.t("lightweight.name_exits")].tolist()[:3] == ["0.97×", "5.00×", "4.00×"]
    assert by_example.loc["DistilBERT"].tolist()[:3] == ["1.67×", "–", "1.63×"]  # 110/66 M, 668/410 s
    assert by_example.loc["TinyBERT"].tolist()[:3] == ["7.52×", "–", "9.40×"]


def test_families_follow_the_file(monkeypatch):
    changed = [dict(row) for row in published_module._rows()]
    for row in changed:
        if row["model"] == "DistilBERT" and row["table"] == "Table 3":
            row["value"] = "334"
    monkeypatch.setattr(published_module, "_rows", lambda: changed)
    table = concepts.families_table(PRICES, stored=6.8).set_index(words.t("family.example"))
    assert table.loc["DistilBERT"].iloc[2] == "2.00×"


def test_neighbours_are_means_over_twelve_sets():
    found = concepts.neighbours()
    assert found.loc[("BERT-base", "12 layers"), "accuracy"] == pytest.approx(88.22, abs=0.01)
    ours = found.loc[("FastBERT", "speed=0.5")]
    assert ours["ratio"] == pytest.approx(5.62, abs=0.01) and ours["accuracy"] == pytest.approx(
        87.16, abs=0.01
    )
    assert (ours["min"], ours["max"]) == (2.16, 11.74)
    assert len(concepts.neighbours_table()) == len(found) == 7


def test_prices_and_weights_as_words():
    table = concepts.prices_table(PRICES, {"whole": 0.86, "cut": 0.85, "exits": 0.855})
    assert table.loc[words.t("lightweight.name_cut")].iloc[-1] == "85.0%"
    table = concepts.weights_table({"a": {"embeddings": 1_000_000, "layers": 2_000_000, "heads": 500}})
    assert table.loc["a"].tolist() == ["1,000", "2,000", "0", "3.00"]


def test_guesses_are_the_networks_likeliest(tmp_path):
    bert, tokenizer = load_masked_lm(str(tiny_backbone_folder(tmp_path / "backbone")))
    table = stages.guesses_table(bert, tokenizer, "好坏好", place=2, guesses=3)
    ids = tokenizer("好坏好", return_tensors="pt")["input_ids"]
    ids[0, 2] = tokenizer.mask_token_id
    with torch.no_grad():
        likeliest = bert(ids).logits[0, 2].topk(3).indices.tolist()
    assert list(table.columns) == tokenizer.convert_ids_to_tokens(likeliest)
    for place in (0, 4):
        with pytest.raises(ValueError, match=rf"place must lie in 1\.\.3, not {place}"):
            stages.guesses_table(bert, tokenizer, "好坏好", place=place)


def test_the_ablation_sets_with_beside_without():
    found = stages.ablation()
    assert found["Book review"]["points"] == pytest.approx(0.76) and found["Yelp.P"][
        "points"
    ] == pytest.approx(0.35)
    assert found["Yelp.P"]["without_ratio"] > found["Yelp.P"]["with_ratio"]
    table = stages.ablation_table()
    assert len(table) == 6 and not table.isna().any(axis=None)
    assert all(math.isfinite(float(cell.split(" ")[0])) for cell in table.to_numpy().ravel())
