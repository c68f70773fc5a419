"""Records of the pruning study become one table, and a mean with its spread over the seeds."""

import math

import pytest
from made_up import made_up_cuts
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib import ExitTrace, prune
from course_lib.figures.drawn_layers import draws
from course_lib.measures.cuts import (
    above_chance,
    compare_by_steps,
    compare_cuts,
    cut_table,
    cuts_of_fastbert,
    masked_losses,
    over_seeds,
    practised,
    share_right,
    shares_without,
)
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


def test_cuts_are_compared_over_the_seeds_that_both_have():
    table = made_up_cuts().assign(accuracy=lambda rows: 0.7 + 0.01 * rows["seed"])
    table.loc[table["study"] == "layerdrop", "accuracy"] += 0.05
    gain = compare_cuts(table, 6, "layerdrop", "plain")
    assert (gain.mean, gain.low, gain.high) == pytest.approx((0.05, 0.05, 0.05)) and gain.clear
    two_seeds = table[(table["study"] != "layerdrop") | (table["seed"] != 2)]
    assert compare_cuts(two_seeds, 6, "layerdrop", "plain").mean == pytest.approx(0.05)
    assert compare_cuts(table, 6, "plain", "plain", "search", their_way="first").mean == 0


def test_a_cut_that_the_table_lacks_is_refused():
    with pytest.raises(ValueError, match="no study 'plain' cut to 5 layers by 'search'"):
        compare_cuts(made_up_cuts(), 5, "plain", "plain", "search")


def test_cuts_of_fastberts_are_rows_like_the_others(tmp_path):
    for seed in (1, 2):
        cut = {"6": {"accuracy": 0.8 + 0.01 * seed, "parameters": 6}, "3": {"accuracy": 0.7, "parameters": 3}}
        write_record(f"f-seed{seed}", {"seed": seed, "metrics": {"cut": cut}}, tmp_path)
    table = cuts_of_fastbert(tmp_path, plain="f", layerdrop="f")
    assert len(table) == 8 and set(table["study"]) == {"plain", "layerdrop"}
    assert compare_cuts(table, 6, "layerdrop", "plain").mean == 0
    assert table.query("study == 'plain' and keep == 6")["accuracy"].tolist() == pytest.approx([0.81, 0.82])


def test_cuts_are_compared_by_steps(tmp_path):
    for name, right in (("a", 0.9), ("b", 0.4)):
        for seed in (1, 2):
            cut = {"4": {"accuracy_by_steps": {"1": right, "2": right / 2 + 0.1 * seed}}}
            write_record(f"{name}-seed{seed}", {"seed": seed, "metrics": {"cut": cut}}, tmp_path)
    found = compare_by_steps("a", "b", 4, tmp_path)
    assert list(found) == [1, 2]
    assert found[1].mean == pytest.approx(0.5) and found[2].mean == pytest.approx(0.25) and found[1].clear


def test_how_often_the_coins_leave_so_few_layers():
    assert practised(0.5, 12, 12) == 1 and practised(0.5, 2, 0) == 0.25
    runs = draws(0.2, 12, 2000).sum(1)
    assert practised(0.2, 12, 9) == pytest.approx((runs <= 9).mean(), abs=0.04)


def test_the_share_right_with_layers_missing():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    rows = corpus["test"]
    trace = ExitTrace.of(model, tokenizer, rows)
    assert share_right(model, tokenizer, rows, [1, 2, 3, 4]) == trace.accuracy_by_layer[-1]
    assert share_right(model, tokenizer, rows, [1, 2]) == trace.accuracy_by_layer[1], "the exit of the last"
    cut = ExitTrace.of(prune(model, [2, 4]), tokenizer, rows)
    assert share_right(model, tokenizer, rows, [2, 4]) == cut.accuracy_by_layer[-1]
    without = shares_without(model, tokenizer, rows)
    assert without.index.tolist() == [1, 2, 3, 4]
    assert without[4] == trace.accuracy_by_layer[2]


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
