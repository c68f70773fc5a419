"""Which column is which: loose names, and the likely one where none fits."""

import pytest
from own_rows import RIGHT, ROWS, named, write

from course_lib.texts.columns import find_column
from course_lib.texts.own_texts import from_files


@pytest.mark.parametrize("header", [["text", " label"], ["Text", "LABEL"], ["ｔｅｘｔ", "label\u00a0"]])
def test_case_width_and_blanks_of_a_name_do_not_matter(tmp_path, header):
    assert named(from_files(write(tmp_path / "mine.csv", header, ROWS))) == RIGHT


def test_the_exact_name_comes_first_and_two_alike_are_none():
    assert find_column(["Text", "text"], "text") == "text"
    assert find_column(["Text", "TEXT"], "text") is None


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        (["review", "label"], "no column 'text'; it has: review, label; did you mean --text review "),
        (["sentence", "label"], "--text sentence "),
        (["content", "sentiment"], "no columns 'text' and 'label'.*--text content --label sentiment "),
        (["评论", "情感"], "--text '评论' --label '情感' .in Python: text='评论', label='情感'"),
        (["headline", "labels"], "--text headline --label labels "),
        (["text", "lable"], "--label lable "),
        (["text", "the stars"], "say which it is with --label NAME"),
    ],
)
def test_a_missing_column_comes_with_the_likely_one(tmp_path, header, hint):
    with pytest.raises(ValueError, match=hint):
        from_files(write(tmp_path / "mine.csv", header, ROWS))


def test_a_misspelt_wish_is_told_by_its_nearest(tmp_path):
    path = write(tmp_path / "mine.csv", ["text", "text_of_review", "label"], [(1, *row) for row in ROWS])
    with pytest.raises(ValueError, match="no column 'text_of_reviw'.*did you mean --text text_of_review "):
        from_files(path, text="text_of_reviw")


def test_the_hint_does_not_offer_the_other_column(tmp_path):
    """Of `label,label_desc,sentence`, where text is missing, the label column is taken."""
    path = write(tmp_path / "mine.csv", ["label", "label_desc", "sentence"], [(1, "x", "好")])
    with pytest.raises(ValueError, match="did you mean --text sentence "):
        from_files(path)
