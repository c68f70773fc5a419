"""The fetched corpora: what they hold, that splits share nothing, and that no law names itself."""

import re

import pytest

from course_lib.texts.laws import ARTICLES_AT_LEAST, OWN_NAME, all_articles, laws, masked, short_name
from course_lib.texts.news import TOPICS, news
from course_lib.texts.shape import canonical, class_names

CORPORA = {"laws": laws, "news": news}


@pytest.mark.parametrize("name", CORPORA)
def test_splits_share_no_text(name):
    seen = [canonical(text) for rows in CORPORA[name]().values() for text in rows["text"]]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("name", CORPORA)
def test_every_split_has_every_class(name):
    corpus = CORPORA[name]()
    for rows in corpus.values():
        assert set(rows["label"]) == set(range(len(class_names(corpus))))


def test_there_are_41_laws_of_a_hundred_articles_or_more():
    corpus = laws()
    names = class_names(corpus)
    assert len(names) == len(set(names)) == 41 and not any("中华人民共和国" in name for name in names)
    labels = [label for rows in corpus.values() for label in rows["label"]]
    assert min(labels.count(number) for number in range(41)) >= ARTICLES_AT_LEAST


def test_no_article_names_its_own_law():
    corpus = laws()
    names = class_names(corpus)
    told = [
        text
        for rows in corpus.values()
        for text, label in zip(rows["text"], rows["label"], strict=True)
        if names[label] in text
    ]
    assert not told
    assert any(OWN_NAME in text for text in corpus["train"]["text"])


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("中华人民共和国专利法第三条", "中华人民共和国专利法", "某法第三条"),
        ("依照专利法和商标法", "中华人民共和国专利法", "依照某法和商标法"),
        ("本法所称公司", "中华人民共和国公司法(2023修订)", "本法所称公司"),
        ("公司法规定的公司", "中华人民共和国公司法（2023修订）", "某法规定的公司"),
    ],
)
def test_masking(text, name, expected):
    assert masked(text, name) == expected


def test_brackets_are_no_part_of_a_name():
    assert short_name("中华人民共和国刑法修正案（十一）") == "刑法修正案"


def test_articles_have_no_white_space():
    assert not any(re.search(r"\s", text) for text in all_articles())
    assert len(all_articles()) == 26_196


def test_news_begin_with_a_headline_and_are_clean():
    corpus = news()
    assert class_names(corpus) == list(TOPICS)
    texts = corpus["train"]["text"]
    assert all(text == " ".join(text.split()) for text in texts)
    assert not any("\ufffd" in text for text in texts)
    assert any("£" in text for text in texts)  # the pound sign survives both encodings
