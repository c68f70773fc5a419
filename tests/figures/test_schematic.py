"""The schematics: all their words stand inside, apart from each other, in both languages."""

import warnings
from itertools import combinations, product

import pytest

from course_lib import figures, words

DRAW = (
    figures.fastbert_schematic,
    figures.layerdrop_schematic,
    figures.lightweight_schematic,
    figures.stages_schematic,
)


@pytest.fixture(params=product(words.LANGUAGES, DRAW), ids=lambda pair: f"{pair[0]}-{pair[1].__name__}")
def figure(request):
    language, draw = request.param
    words.use(language)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        drawn = draw()
        drawn.canvas.draw()  # at the size it is shown
    yield drawn
    words.use(None)


def test_no_word_lies_on_another_or_outside(figure):
    drawn = [(text.get_text(), text.get_window_extent()) for text in figure.axes[0].texts if text.get_text()]
    assert len(drawn) > 12
    for (one, first), (other, second) in combinations(drawn, 2):
        assert not first.overlaps(second), (one, other)
    for text, box in drawn:
        assert 0 <= box.x0 and box.x1 <= figure.bbox.x1 and 0 <= box.y0 and box.y1 <= figure.bbox.y1, text


def test_it_is_described_for_those_who_cannot_see_it(figure):
    title = figure.axes[0].get_title(loc="left")
    assert title and figure.get_label().startswith(title) and len(figure.get_label()) > 2 * len(title)
