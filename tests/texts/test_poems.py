"""The poems: which texts have a regular form, that relatives stay together, the held-out file; the corpus
itself where its package has been fetched."""

import json

import pytest

from course_lib.texts import poems as module
from course_lib.texts.packages import FOLDER, PACKAGES
from course_lib.texts.poems import (
    FORMS,
    HELD_OUT_EACH,
    first_relatives,
    form_of,
    held_out_poems,
    lines_of,
    poems,
    regular,
    write_held_out,
)
from course_lib.texts.shape import split_of

FETCHED = (FOLDER / PACKAGES["chinese-poetry"].file).is_file()
QUATRAIN = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (QUATRAIN, QUATRAIN),
        ("床前明月光，疑是地上霜。\n举头望明月？低头思故乡！", QUATRAIN),
        ("床前明月光，疑是地上霜。", None),  # two lines
        ("床前明月光，疑是地上霜。举头望明月，低头思故。", None),  # a line is short
        ("床前明月光，疑是地上□。举头望明月，低头思故乡。", None),  # a character is lost
        ("床前明月光，疑是地上霜。举头望明月，低头思故乡", None),  # cut off
        ("，，，，", None),
        ("", None),
    ],
)
def test_regular_forms(text, found):
    assert regular(text) == found


def test_forms_by_their_lines():
    assert form_of(QUATRAIN) == "五绝" and lines_of(QUATRAIN)[1] == "疑是地上霜"
    assert form_of("白" * 7 + "，" + "日" * 7 + "。") is None
    assert form_of(("白" * 7 + "，" + "日" * 7 + "。") * 4) == "七律"
    assert form_of(QUATRAIN + "白日依") is None and form_of("") is None


def test_poems_that_share_a_line_are_relatives_also_over_a_third():
    texts = ["一，二。三，四。", "五，六。七，八。", "四，五。九，十。", "子，丑。寅，卯。"]
    assert first_relatives(texts) == [texts[0], texts[0], texts[0], texts[3]]


def test_the_corpus_from_an_archive_of_one_file(monkeypatch):
    """Traditional characters are converted, doubles and other forms left out."""
    rows = [
        {
            "title": "靜夜思",
            "author": "李白",
            "paragraphs": ["床前明月光，疑是地上霜。", "舉頭望明月，低頭思故鄉。"],
        },
        {"title": "又", "author": "李白", "paragraphs": ["床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。"]},
        {"title": "斷句", "author": "無名", "paragraphs": ["白日依山盡。"]},
        {"title": "甲", "author": "乙", "paragraphs": ["甲乙丙丁戊，己庚辛壬癸。子丑寅卯辰，巳午未申酉。"]},
    ]
    monkeypatch.setattr(module, "files_below", lambda *_: [("a.json", json.dumps(rows).encode())])
    corpus = poems.__wrapped__()
    found = {row["text"]: row for split in corpus.values() for row in split}
    assert len(found) == 2
    assert found[QUATRAIN] == {"text": QUATRAIN, "form": "五绝", "title": "静夜思", "author": "李白"}
    for split, part in corpus.items():
        assert all(split_of(row["text"]) == split for row in part)


def test_the_held_out_poems_are_complete_poems_of_all_forms():
    rows = held_out_poems()
    assert [row["form"] for row in rows] == [form for form in FORMS.values() for _ in range(HELD_OUT_EACH)]
    for row in rows:
        assert regular(row["text"]) == row["text"] and form_of(row["text"]) == row["form"]
        assert row["title"] and row["author"]


@pytest.mark.skipif(not FETCHED, reason="the poems are not fetched: course corpus poems")
def test_no_line_stands_in_two_splits_and_the_held_out_file_is_of_the_test_split(tmp_path, monkeypatch):
    corpus = poems()
    lines = [{line for text in rows["text"] for line in lines_of(text)} for rows in corpus.values()]
    assert not (lines[0] & lines[1] or lines[0] & lines[2] or lines[1] & lines[2])
    monkeypatch.setattr(module, "HELD_OUT", tmp_path / "poems" / "held-out.jsonl")
    shipped = held_out_poems.__globals__["DATA"] / "poems" / "held-out.jsonl"
    write_held_out(corpus)
    assert module.HELD_OUT.read_text("utf-8") == shipped.read_text("utf-8")
