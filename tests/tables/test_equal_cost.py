"""Equal cost in words: only a difference whose interval leaves 0 out is called one."""

import numpy as np
import pytest
from made_up import made_up_trace

from course_lib import words
from course_lib.measures.comparison import Contender, Difference
from course_lib.tables.equal_cost import (
    EqualCost,
    equal_cost,
    equal_cost_in_words,
    equal_cost_table,
    points,
)


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


def made_up(spent, low, high):
    ours, rival = (
        Contender(name, np.ones((1, 4)), np.ones(1), np.full(1, 2.0))
        for name in ("early_exit", "fixed_depth")
    )
    return EqualCost("some", 1, spent, ours, rival, Difference((low + high) / 2, low, high))


def test_each_saving_gets_its_own_verdict():
    found = [made_up(2.0, -0.01, 0.02), made_up(4.0, 0.01, 0.02), made_up(7.0, -0.03, -0.01)]
    said = equal_cost_in_words(found)
    for verdict, saving in (("open", "2.0×"), ("ahead", "4.0×"), ("behind", "7.0×")):
        assert words.t(f"equal_cost.{verdict}", at=saving) in said
    assert len(equal_cost_table(found)) == 3


def test_both_spend_the_same_on_the_same_texts(tmp_path):
    for split, seed in (("validation", 1), ("test", 2)):
        made_up_trace(seed=seed).save(tmp_path / f"some-{split}.safetensors")
    found = equal_cost("some", savings=(2, 3), traces=tmp_path)
    for each in found:
        assert each.seeds == 1 and each.ours.cost == pytest.approx(each.rival.cost)
        assert each.gain.mean == pytest.approx(each.ours.accuracy - each.rival.accuracy)


def test_one_seed_without_answers_has_no_interval():
    shown = points(Difference(0.01, -np.inf, np.inf))
    assert "+1.0" in shown and "inf" not in shown
