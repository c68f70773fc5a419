"""A corpus by its name: one of the course's, a file of your own, or else a data set of the hub."""

import pytest

from course_lib.texts import corpora
from course_lib.texts.corpora import load_corpus, load_split


def test_the_names_of_the_course_come_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in corpora.CORPORA:
        (tmp_path / name).mkdir()  # might be a data set in the hub's layout
        monkeypatch.setitem(corpora.CORPORA, name, lambda name=name: f"the course's {name}")
        assert load_corpus(name) == f"the course's {name}"


def test_a_corpus_is_a_file_or_else_of_the_hub_or_in_its_layout(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(corpora, "from_files", lambda name: asked.append(("file", name)))
    monkeypatch.setattr(corpora, "from_hub", lambda name: asked.append(("hub", name)))
    (tmp_path / "mine.txt").touch()
    file, folder = str(tmp_path / "mine.txt"), str(tmp_path)
    for name in ("none.csv", "none.JSONL", file, folder, "someone/reviews-v1.0", "someone/reviews"):
        load_corpus(name)
    kinds = ["file", "file", "file", "hub", "hub", "hub"]
    assert [kind for kind, _ in asked] == kinds and asked[2:4] == [("file", file), ("hub", folder)]


def test_a_file_that_is_missing_is_not_looked_for_on_the_hub():
    with pytest.raises(FileNotFoundError, match="no file at none.CSV"):
        load_corpus("none.CSV")


def test_one_split_or_all_of_a_corpus(tmp_path):
    corpus = load_corpus("reviews")
    total = sum(len(rows) for rows in corpus.values())
    rows, found = load_split("reviews", "validation")
    assert list(rows["text"][:]) == list(corpus["validation"]["text"][:]) and found == total
    rows, found = load_split("reviews", "all")
    assert len(rows) == found == total and rows.features == corpus["train"].features
    with pytest.raises(ValueError, match="split must be one of train, validation, test or all, not 'best'"):
        load_split("reviews", "best")


def test_columns_go_to_data_of_your_own_only(tmp_path):
    lines = "".join(f"第{number}个,{number % 2}\n" for number in range(100))
    (tmp_path / "train.csv").write_text(f"review,stars\n{lines}", "utf-8")
    for name in (tmp_path / "train.csv", tmp_path):
        rows, total = load_split(str(name), "all", text="review", label="stars")
        assert len(rows) == total == 100
    with pytest.raises(ValueError, match="worlds is a corpus of the course: leave out text"):
        load_corpus("worlds", text="review")
