"""The reviews and the newspaper: clean, apart from each other, and the same for ever."""

import json

import pytest

from course_lib.paths import RUNS
from course_lib.texts.reviews import newspaper, reviews
from course_lib.texts.shape import canonical, class_names, fingerprint, split_of

REVIEWS = "abcabe05ffa13b74be11af5c2c8951e632bbdd4aa447e533c20a6bbece479018"


def test_reviews_are_those_of_the_run_records():
    """Every shipped figure holds for these texts, in this order, with these labels."""
    assert fingerprint(reviews()) == REVIEWS
    assert json.loads((RUNS / "reviews-tfidf.json").read_text())["data"] == REVIEWS


def test_reviews_hold_no_text_twice():
    keys = [canonical(text) for split in reviews().values() for text in split["text"]]
    assert len(keys) == len(set(keys)) > 17_000
    assert all(text and text == "".join(text.split()) for text in reviews()["test"]["text"])


def test_reviews_are_split_80_10_10_by_the_text_alone():
    corpus = reviews()
    total = sum(len(split) for split in corpus.values())
    assert len(corpus["train"]) / total == pytest.approx(0.8, abs=0.01)
    assert len(corpus["test"]) / total == pytest.approx(0.1, abs=0.01)
    for split in corpus:
        assert {split_of(text) for text in corpus[split]["text"][:300]} == {split}
        share = sum(corpus[split]["label"]) / len(corpus[split])
        assert 0.4 < share < 0.6, "both classes about equally often"
    assert class_names(corpus) == ["negative", "positive"]


def test_newspaper_has_no_tags():
    texts = newspaper()["text"]
    assert len(texts) > 15_000 and len(set(texts)) == len(texts)
    assert not any("/n" in text or "/v" in text for text in texts[:3000])
