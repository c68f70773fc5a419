"""The shape of a corpus: the same text is told under all its spellings, and any change is noticed."""

import pytest
from datasets import ClassLabel, Dataset, Features, Value

from course_lib.texts.shape import canonical, fingerprint, renumber, split_of


def test_width_case_and_white_space_make_no_other_text():
    texts = ("ＨＰ 笔记本", "hp笔记本", "Hp笔记\t本\n")
    assert len({canonical(text) for text in texts}) == len({split_of(text) for text in texts}) == 1


def test_fingerprint_notices_any_change():
    rows = {"text": ["a", "b"], "label": [0, 1]}
    one = fingerprint(Dataset.from_dict(rows))
    assert fingerprint(Dataset.from_dict(rows)) == one
    for changed in ({"text": ["a", "c"]}, {"label": [1, 1]}, {"text": ["b", "a"]}):
        assert fingerprint(Dataset.from_dict(rows | changed)) != one


def test_classes_are_numbered_by_their_names():
    features = Features(text=Value("string"), label=ClassLabel(names=["a", "b"]))
    rows = Dataset.from_dict({"text": ["x", "y"], "label": [0, 1]}, features)
    assert list(renumber(rows, ["b", "c", "a"])["label"]) == [2, 0]
    with pytest.raises(ValueError, match="unknown labels: b; known: a, c"):
        renumber(rows, ["a", "c"])
