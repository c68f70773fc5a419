"""The PowerPoint edition: text that can be edited, a font for Chinese on each run, notes and pictures."""

import pytest
from editions import EDITIONS, filled
from pptx import Presentation
from pptx.oxml.ns import qn

from course_lib.decks import powerpoint


@pytest.fixture(params=EDITIONS[:2], ids="-".join, scope="module")
def both(request, tmp_path_factory):
    deck = filled(*request.param)
    path = tmp_path_factory.mktemp("pptx") / "deck.pptx"
    powerpoint.write(deck, path)
    return deck, Presentation(path)


def test_each_slide_has_its_title_its_words_and_its_notes(both):
    deck, presentation = both
    assert len(presentation.slides) == len(deck.slides)
    for ours, theirs in zip(deck.slides, presentation.slides, strict=True):
        text = "\n".join(shape.text_frame.text for shape in theirs.shapes if shape.has_text_frame)
        assert ours.title.replace("*", "") in text
        if ours.over:
            assert ours.over in text
        if ours.table is not None:
            (table,) = (shape.table for shape in theirs.shapes if shape.has_table)
            assert len(table.rows) == len(ours.table) + 1
        if ours.figure is not None or ours.live is not None:
            (picture,) = (shape for shape in theirs.shapes if shape.shape_type == 13)
            assert picture._element.nvPicPr.cNvPr.get("descr") and picture.height > 2_000_000
        notes = theirs.notes_slide.notes_text_frame.text
        assert all(note.split("*")[0].split("$")[0][:15] in notes for note in ours.notes.values())


def test_each_run_names_an_east_asian_font(both):
    _, presentation = both
    runs = [
        run
        for slide in presentation.slides
        for part in (slide._element, slide.notes_slide._element)
        for run in part.iter(qn("a:r"))
    ]
    assert len(runs) > 300
    for run in runs:
        font = run.find(qn("a:rPr")).find(qn("a:ea"))
        assert font is not None and font.get("typeface"), run.text


def test_text_is_at_least_24_points_and_stays_on_the_slide(both):
    _, presentation = both
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= presentation.slide_width
            assert shape.top + shape.height <= presentation.slide_height * 1.01, shape.name
        sizes = [int(run.get("sz")) for run in slide._element.iter(qn("a:rPr")) if run.get("sz")]
        assert min(sizes) >= 2400
