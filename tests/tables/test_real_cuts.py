"""The real BERT's cuts as tables, from made-up records: who is ahead, and by how much."""

import numpy as np
import pytest

from course_lib.measures.answers import Answers, save_right
from course_lib.measures.comparison import difference, static
from course_lib.measures.records import write_record
from course_lib.measures.trace import trace_file
from course_lib.tables import real_cuts, rivals
from course_lib.words import t

TEXTS = 400
RULES = ("first", "similarity")
RIGHT = {  # study -> the share that its networks of 6 layers answer rightly: cut, healed by rule
    "plain": (0.60, {"first": 0.80, "similarity": 0.70}),
    "layerdrop": (0.70, {"first": 0.80, "similarity": 0.95}),
    "half": (0.75, {"first": 0.79, "similarity": 0.60}),
}


def answers(share: float) -> np.ndarray:
    return np.arange(TEXTS) < round(share * TEXTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cuts")
    for (study, (cut, healed)), rate in zip(RIGHT.items(), (None, 0.2, 0.5), strict=True):
        name = f"pruning-e5-{study}"
        recipe = {"name": name, "healed": [6]} | ({"layer_drop": {"rate": rate}} if rate else {})
        shares = {rule: cut + 0.01 * number for number, rule in enumerate(RULES)}
        metrics = {
            "layers": 12,
            "accuracy": 0.9,
            "cut": {rule: {"6": {"layers": [1], "accuracy": share}} for rule, share in shares.items()},
            "cut_then_healed": {rule: {"6": share} for rule, share in healed.items()},
        }
        write_record(f"{name}-seed1", {"recipe": recipe, "seed": 1, "metrics": metrics}, folder)
        right = {f"healed.{rule}.6": answers(share) for rule, share in healed.items()}
        save_right(trace_file(name, 1, "test", folder), right)
    student = Answers(answers(0.85).astype(int), np.ones(TEXTS, int), 1.0, 6.0)
    student.save(trace_file("reviews-e5-student-6", 1, "test", folder))
    return folder


def test_one_row_for_each_rate_and_rule(folder):
    table = real_cuts.real_cut_table(folder)
    assert table.shape == (6, 3)
    row = table.loc[t("real_cuts.rate", rate=0.2), t("depth.similarity")]
    assert row.tolist() == ["90.0%", "71.0%", "95.0%"]


def test_the_best_uncut_rule_and_rate_are_found(folder):
    assert real_cuts.best_rate(6, folder) == 0.5
    said = real_cuts.cut_verdict(6, folder)["parts"]
    assert "76.0%" in said and t("depth.similarity") in said and "60.0%" not in said


def test_only_who_is_clearly_ahead_of_ending_early_wins(folder):
    (winner,) = real_cuts.clear_winners(6, folder, folder)
    assert winner.startswith(t("depth.similarity")) and "0.2" in winner
    assert real_cuts.winners(6, folder, folder) == winner


def test_differences_are_paired_and_measured_from_ending_early(folder):
    table = real_cuts.against_ending_early(6, folder, folder)
    column = t("real_cuts.ahead")
    assert table[column].iloc[0] == "" and len(table) == 5  # itself, the best of each rate, the student
    student = table.loc[t("contender.student-6"), column]
    expected = difference(static("a", answers(0.85), 1.0), static("b", answers(0.80), 1.0))
    assert student == rivals.interval(expected) and expected.clear


def test_without_a_winner_nobody_is_named(folder, monkeypatch):
    monkeypatch.setattr(real_cuts, "clear_winners", lambda *_: [])
    assert real_cuts.winners(6, folder, folder) == t("rivals.nobody")


def test_without_records_it_says_which_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="pruning-e5-plain"):
        real_cuts.real_cut_table(tmp_path)
