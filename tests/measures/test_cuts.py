"""Records of the pruning study become one table, and a mean with its spread over the seeds."""

import math
import re

import pytest
from made_up import made_up_cuts

from course_lib.measures.cuts import above_chance, cut_table, in_words, masked_losses, over_seeds
from course_lib.measures.records import write_record


def record(seed, rate=None):
    recipe = {"name": "pruning-x"} | ({} if rate is None else {"layer_drop": {"rate": rate}})
    return {
        "recipe": recipe,
        "seed": seed,
        "metrics": {
            "layers": 4,
            "accuracy": 0.8 + 0.02 * seed,
            "parameters": {"4": 400, "2": 200},
            "masked_loss": {"4": 5.0, "2": 5.5},
            "cut": {"first": {"2": {"layers": [1, 2], "accuracy": 0.7}}},
            "cut_then_tuned": {"2": 0.75},
        },
    }


@pytest.fixture
def runs(tmp_path):
    for seed in (1, 2):
        write_record(f"pruning-plain-seed{seed}", record(seed), tmp_path)
    write_record("pruning-drop-seed1", record(1, rate=0.2), tmp_path)
    return tmp_path


def test_a_row_for_every_way_and_depth(runs):
    table = cut_table("plain", "drop", runs=runs)
    assert table["study"].tolist() == ["plain"] * 8 + ["drop"] * 4
    assert set(table.loc[table["study"] == "drop", "rate"]) == {0.2}
    one = table[(table["study"] == "drop")]
    assert list(zip(one["way"], one["keep"], strict=True)) == [
        ("whole", 4),
        ("first", 4),  # nothing cut is every strategy's first point
        ("first", 2),
        ("tuned", 2),
    ]
    assert one["parameters"].tolist() == [400, 400, 200, 200] and one["layers"].iloc[2] == [1, 2]


def test_mean_and_spread_over_seeds(runs):
    found = over_seeds(cut_table("plain", "drop", runs=runs))
    whole = found.loc["plain", "whole", 4]
    assert whole["mean"] == pytest.approx(0.83) and whole["count"] == 2
    assert whole["std"] == pytest.approx(0.02 / math.sqrt(2))
    assert math.isnan(found.loc["drop", "whole", 4]["std"])


def test_mean_and_spread_in_words(runs):
    found = in_words(over_seeds(cut_table("plain", "drop", runs=runs)))
    assert found["plain", "whole", 4] == "83.0 ± 1.4"
    assert re.fullmatch(r"\d+\.\d", found["drop", "whole", 4]), "one seed has no spread"


def test_masked_losses_from_most_to_fewest_layers(runs):
    losses = masked_losses("plain", "drop", runs=runs)
    assert losses.index.tolist() == [4, 2] and losses["drop"].tolist() == [5.0, 5.5]


def test_a_study_without_a_record(runs):
    with pytest.raises(FileNotFoundError, match="no run record 'pruning-other-seed1'"):
        cut_table("other", runs=runs)


def test_above_chance():
    assert above_chance(0.5, 2) == 0 and above_chance(1.0, 8) == 1
    assert above_chance(0.75, 2) == pytest.approx(0.5)


def test_the_table_made_up_for_other_tests_looks_like_a_real_one(runs):
    assert list(made_up_cuts().columns) == list(cut_table("plain", runs=runs).columns)
