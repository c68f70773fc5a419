"""The form of a poem: rhymes as they sound today, what is kept of lines and variety."""

import pytest

from course_lib.measures.poem_form import form_figures, rhyme, rhyming_share

QUATRAIN = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"


@pytest.mark.parametrize(
    ("together", "apart"),
    [
        ("光霜乡", "年"),
        ("年天船远", "光"),
        ("知诗之", "衣"),
        ("风空情中", "春"),
        ("云春人", "风"),
        ("流愁楼", "书"),
    ],
)
def test_rhymes(together, apart):
    assert len({rhyme(character) for character in together}) == 1 != rhyme(apart)
    assert rhyme(apart) != rhyme(together[0])


def test_the_share_that_rhymes():
    assert rhyming_share(QUATRAIN) == 1  # 霜, 乡
    assert rhyming_share("白日依山尽，黄河入海流。欲穷千里目，更上一层天。") == 0.5  # 流, 天
    assert rhyming_share("白日依山尽，黄河入海流。") is None, "one couplet rhymes with nothing"


def test_figures():
    found = form_figures([QUATRAIN, "白日依山尽，黄河入海。"])
    assert found["form_kept"] == 0.5 and found["rhyming"] == 1
    assert found["repetition"] == pytest.approx(
        (1 / 23 + 0) / 2  # 明月 stands twice in the first
    )
    assert 0 < found["distinct_1"] < found["distinct_2"] <= 1
    with pytest.raises(ValueError, match="at least one text"):
        form_figures([])
