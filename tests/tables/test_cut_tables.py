"""Tables of cuts say what the tables of measures hold, in both languages."""

import numpy as np
import pandas as pd
import pytest
from made_up import made_up_costs, made_up_cuts

from course_lib import every_other, words
from course_lib.measures.bench_layerdrop import LayerDropBench
from course_lib.measures.comparison import Difference
from course_lib.measures.cuts import compare_cuts
from course_lib.measures.published import published
from course_lib.tables import cuts
from course_lib.tables.equal_cost import points

TABLE = made_up_cuts()
CLEAR, OPEN, BEHIND = (Difference(mean, mean - 0.02, mean + 0.02) for mean in (0.05, 0.01, -0.03))


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


def test_depths_drawn_follow_the_binomial_law():
    table = cuts.drawn_depths(0.2, 12, steps=2000)
    assert table.columns[-1] == 12 and (table.iloc[0] > 0).any()
    np.testing.assert_allclose(table.iloc[0], table.iloc[1], atol=0.03)
    assert table.iloc[0].sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("keep, left", [(6, 6), (7, 6), (9, 9), (3, 0)])
def test_the_rule_leaves_what_it_leaves(keep, left):
    assert len(cuts.by_the_rule(12, keep)) == left
    if left == keep:
        assert cuts.by_the_rule(12, keep) == every_other(12, keep)


def test_the_rules_table_sets_rate_rule_and_course_beside_each_other():
    table = cuts.rule_table(12, [7, 3])
    assert table.loc[7].tolist() == ["0.42", 6, str(every_other(12, 7))]
    assert table.loc[3].tolist() == ["0.75", 0, str(every_other(12, 3))]


def test_how_much_is_practised():
    found = cuts.practised_shares(12, few=6, fewest=3)
    assert found["fewest_low"] < found["few_low"] < found["few_high"] and found["fewest_high"] < 0.1


def test_means_and_losses_are_the_tables():
    rows = TABLE[(TABLE["study"] == "plain") & (TABLE["keep"] == 6)]
    mean = rows[rows["way"] == "search"]["accuracy"].mean()
    shown = cuts.cut_means(TABLE, ["every_other", "search"])
    row = words.t("depth.row", study=words.t("study.plain"), keep=6)
    assert shown.loc[row, words.t("depth.search")] == f"{100 * mean:.1f}"
    whole = TABLE[(TABLE["study"] == "plain") & (TABLE["way"] == "whole")]["accuracy"].mean()
    lost = cuts.points_lost(TABLE, "plain", "search")
    assert lost[12] == pytest.approx(0) and lost[6] == pytest.approx(100 * (whole - mean))
    assert cuts.mean_accuracy(TABLE, 6, "search")["plain"] == pytest.approx(mean)


def test_shares_steps_and_rates_as_text():
    assert cuts.shares_table({"a": 0.5, "b": 1.0}).iloc[:, 0].tolist() == ["50.0%", "100.0%"]
    assert cuts.steps_table({"a": pd.Series({"1": 0.25, "2": 1.0})}).loc["a"].tolist() == ["25%", "100%"]
    rates = cuts.rates_table(np.array([0.1, 0.333]))
    assert rates.columns.tolist() == [1, 2] and rates.iloc[0].tolist() == ["0.10", "0.33"]


def test_only_a_clear_difference_gets_a_tick():
    table = cuts.gains_table({"a": {6: CLEAR, 3: OPEN}, "b": {6: BEHIND}}, "kept")
    assert table.loc["a", 6] == points(CLEAR) + cuts.TICK and table.loc["a", 3] == points(OPEN)
    assert table.loc["b", 6].endswith(cuts.TICK) and table.loc["b", 3] == ""
    assert table.columns.name == "kept"


def test_verdicts_follow_the_interval():
    assert cuts.verdict(CLEAR) != cuts.verdict(OPEN)
    assert cuts.verdict(BEHIND) == cuts.verdict(CLEAR), "behind can be clear, too"
    gains = {6: CLEAR, 3: OPEN, 2: BEHIND}
    assert cuts.clear_columns(gains, 1) == "6" and cuts.clear_columns(gains, -1) == "2"
    assert cuts.clear_columns({3: OPEN}, 1) == words.t("verdict.nowhere")
    assert cuts.verdict_at(gains, 6) != cuts.verdict_at(gains, 3)
    assert points(OPEN) in cuts.verdict_at(gains, 3)


def test_gains_of_cuts_are_compared_one_by_one():
    found = cuts.cut_gains(TABLE, "layerdrop", "plain", "every_other", "search", keeps=(9, 6))
    assert found == {
        keep: compare_cuts(TABLE, keep, "layerdrop", "plain", "every_other", "search") for keep in (9, 6)
    }


def test_rivals_stand_beside_the_cut_networks():
    rivals = cuts.small_networks()
    assert set(rivals["study"]) == {"small", "student"}
    shown = cuts.tuned_means(TABLE, rivals, keeps=(6, 3))
    assert words.t("study.small") in shown.index and (shown != "").all().all()
    both = cuts.together(TABLE, rivals)
    assert len(both) == len(TABLE) + len(rivals)
    found = cuts.cut_gains(both, "layerdrop", "small", "tuned", "whole", keeps=(6, 3))
    assert all(np.isfinite(each.low) for each in found.values())


def test_times_are_shown_as_measured():
    bench = LayerDropBench(0.5, 0.5, 0.51, 0.6, (0.5, 0.7), 0.8, (0.7, 0.9), 3.0, 5)
    assert cuts.training_time_table([bench]).iloc[0].tolist() == [0.5, 0.5, 0.6, 0.8]
    assert cuts.unit_time_table({"head": bench}).loc[words.t("unit.head")].tolist() == [0.51, 0.6]
    costs = made_up_costs()
    assert cuts.depth_time_table(costs).iloc[:, 0].tolist() == [cost.keep for cost in costs]


def test_the_papers_numbers_are_the_files():
    claims, better = cuts.paper_claims(), cuts.better_than_scratch()
    assert claims["uncut"] == pytest.approx(0.2) and claims["more"] == pytest.approx(-0.1)
    assert claims["small"] == pytest.approx(0.6) and claims["student"] == pytest.approx(1.3)
    assert better["better"] < better["cells"] == 8 and better["worst"] == pytest.approx(-4.3)
    assert "75.1" in cuts.paper_sizes_table().to_string()
    table = cuts.claims_table(claims, {"uncut": OPEN, "small": CLEAR})
    assert table.iloc[0].tolist() == ["+0.2", points(OPEN)] and table.iloc[1, 1].endswith(cuts.TICK)
    rows = published(paper="LayerSkip (Elhoushi", table="Abstract")
    assert cuts.speedups_table(rows).iloc[0, 0] == "2.16×"
    assert "9.4×" in cuts.static_networks_table().to_string()
