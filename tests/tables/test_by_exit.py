"""The tables of lesson 03 show what the records and traces hold."""

import pytest
from made_up import made_up_trace

from course_lib import words
from course_lib.measures.outcomes import outcomes
from course_lib.measures.report import accuracy_by_seed, summary
from course_lib.tables.by_exit import (
    accuracy_by_exit_table,
    kl_table,
    outcome_table,
    teacher_by_steps_table,
)

TRACE = made_up_trace()


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


def test_the_records_accuracies_by_exit():
    table = accuracy_by_exit_table({"ours": "reviews-fastbert"}, [1, 12])
    last = summary("reviews-fastbert")["accuracy_by_layer"][-1][0]
    assert table.shape == (1, 2) and table.loc["ours"].iloc[-1] == f"{last:.1%}"
    assert accuracy_by_seed("reviews-fastbert")[:, -1].mean() == pytest.approx(last)


def test_the_worlds_by_steps_and_what_the_kl_changes():
    by_steps = teacher_by_steps_table(["worlds-fastbert", "worlds-unaided"])
    assert by_steps.shape == (2, 4)
    assert by_steps.loc["worlds-fastbert"].min() > by_steps.loc["worlds-unaided"].max()
    assert kl_table(["worlds-fastbert", "worlds-paper-kl"]).shape == (2, 3)


def test_the_groups_of_reviews():
    texts = ["好，但贵" if number % 2 else "好" for number in range(len(TRACE.labels))]
    table = outcome_table(TRACE, texts)
    assert table.iloc[:, 0].tolist() == [group.sum() for group in outcomes(TRACE).values()]
    assert set(table.iloc[:, 2].str[-1]) == {"%"}
