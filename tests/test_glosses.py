"""Readers of the English edition understand every Chinese text that lessons 03 and 06 show."""

import pytest

from course_lib import words
from course_lib.measures.outcomes import outcomes, shortest
from course_lib.measures.trace import load_traces
from course_lib.texts.corpora import load_corpus
from course_lib.widgets.parts import short
from course_lib.widgets.speed import easy_to_hard
from course_lib.words.glosses import digest, gloss, with_gloss

SHOWN = {  # what the lessons' sliders and cells show: (data, recipe) -> the sentences' numbers
    ("reviews", "reviews-fastbert"): lambda trace: [
        *easy_to_hard(trace),
        *shortest(trace, outcomes(trace)["mended"]),
    ],
    ("reviews", "reviews-e5"): lambda trace: [*easy_to_hard(trace, rows=5), 4],
    ("laws", "laws-e5"): lambda trace: [*easy_to_hard(trace, rows=5), 7],
}


@pytest.fixture(autouse=True)
def english():
    words.use("en")
    yield
    words.use(None)


@pytest.mark.parametrize(("data", "recipe"), SHOWN)
def test_every_chinese_text_that_is_shown_has_its_english(data, recipe):
    texts = load_corpus(data)["test"]["text"]
    numbers = SHOWN[data, recipe](load_traces(recipe, "test")[0])
    missing = [(digest(texts[number]), texts[number]) for number in numbers if not gloss(texts[number])]
    assert not missing


def test_the_chinese_edition_needs_none():
    text = load_corpus("reviews")["test"]["text"][4]
    assert gloss(text) and with_gloss(text) == f"{text} ({gloss(text)})" and gloss(text) in short(text)
    words.use("zh")
    assert gloss(text) == "" and with_gloss(text) == text and short(text).count("<span") == 1


def test_a_text_without_a_gloss_stands_alone():
    assert with_gloss("没有人翻译过这句话") == "没有人翻译过这句话"
