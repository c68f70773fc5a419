"""What the tests of training share: tiny corpora, and a clock that goes by looks."""

import itertools
from types import SimpleNamespace

import pytest
from tiny import tiny_corpus

from course_lib.texts import corpora
from course_lib.training import fastbert, finetune, pretrain, run


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The reviews and the newspaper shrunk to a few made-up lines; unfinished runs stay in tmp_path."""
    corpus = tiny_corpus(80)
    monkeypatch.setitem(corpora.CORPORA, "reviews", lambda: corpus)
    monkeypatch.setattr(pretrain, "reviews", lambda: corpus)
    monkeypatch.setattr(pretrain, "newspaper", lambda: corpus["train"].select_columns("text"))
    for module in (fastbert, pretrain, run):
        monkeypatch.setattr(module, "UNFINISHED", tmp_path / "unfinished")
    return tmp_path


@pytest.fixture
def ticking():
    """ticking(monkeypatch): the clock of all stages goes on by 100 seconds whenever somebody looks at it."""

    def start(monkeypatch):
        looks = itertools.count(step=100)
        for module in (fastbert, finetune, pretrain):
            monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(looks)))

    return start
