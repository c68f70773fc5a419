"""What the decks must say: the whole outline in its order, in two languages, and no number typed by hand."""

import io
import re
import warnings

import numpy as np
import pytest
from editions import EDITIONS, OUTLINE, filled
from PIL import Image

from course_lib import words
from course_lib.decks.build import BUILT, COMMITTED, built_digest, digest
from course_lib.decks.pictures import finding, slide_png
from course_lib.decks.source import markdown
from course_lib.figures.outline import FIGURES, outline_figure
from course_lib.paths import ROOT
from course_lib.tables.outline import TABLES, outline_table
from course_lib.words import LANGUAGES, t

# A measured number carries one of these; settings (speed 0.5, 12 layers, p = 0.2) do not.
MEASURED = re.compile(r"\d\s?(?:%|×)|[+−]\d")


def test_every_heading_of_the_outline_has_its_slide_in_the_outlines_order(deck):
    wanted = [tuple(heading) for heading in OUTLINE[deck.technique]["headings"]]
    found = []
    for slide in deck.slides:
        for depth in range(1, len(slide.at) + 1):
            if slide.at[:depth] not in found:
                found.append(slide.at[:depth])
    assert found == wanted


def test_every_figure_and_table_is_shown_once_in_its_order(deck):
    for kind in ("figure", "table"):
        numbers = [int(each.show.which) for each in deck.slides if each.show and each.show.kind == kind]
        assert numbers == list(range(1, 14)), kind


def test_captions_and_the_title_slide_are_the_outlines(edition):
    outline = OUTLINE[edition.technique]
    assert edition.date == outline["date"] and outline["date"] in edition.slides[0].body
    if edition.language == "zh":
        assert (edition.title, edition.subtitle) == (outline["title"], outline["subtitle"])
        with words.spoken("zh"):
            for kind in ("figure", "table"):
                for number, caption in enumerate(outline[f"{kind}s"], start=1):
                    assert t(f"outline.{edition.technique}.{kind}{number}") == caption


def test_both_languages_have_the_same_parts(deck):
    for slide in deck.slides:
        kinds = [[token.type for token in markdown().parse(slide.texts[each])] for each in LANGUAGES]
        assert kinds[0] == kinds[1], f"{deck.file}:{slide.line}"


def test_the_same_values_are_named_in_both_languages(deck):
    for slide in deck.slides:
        english, chinese = (
            sorted(re.findall(r"{{.*?}}", slide.texts[each] + str(slide.notes[each]))) for each in LANGUAGES
        )
        assert english == chinese, f"{deck.file}:{slide.line}"


def test_no_measured_number_is_typed(deck):
    for slide in deck.slides:
        for text in [
            *slide.texts.values(),
            *(note for each in slide.notes.values() for note in each.values()),
        ]:
            typed = MEASURED.findall(re.sub(r"{{.*?}}", "", text).replace("95%", "").replace("95 %", ""))
            assert not typed, f"{deck.file}:{slide.line}: {typed}"


def test_corrections_quote_the_outline(deck):
    corrected = [slide for slide in deck.slides if "\n> " in slide.texts["zh"]]
    assert len(corrected) >= 9
    for slide in corrected:  # something is said after the quotation
        for text in slide.texts.values():
            assert text.rsplit("\n> ", 1)[1].partition("\n")[2].strip(), f"{deck.file}:{slide.line}"


def test_references_are_complete(deck):
    cited = "".join(slide.texts["en"] for slide in deck.slides if slide.kind == "references")
    for number in (
        "1910.01108",
        "1810.04805",
        "2004.02178" if deck.technique == "fastbert" else "1909.11556",
    ):
        assert number in cited
    assert "Vaswani" in cited and "Radford" in cited


def test_no_mark_of_emphasis_is_left_in_the_text(edition):
    # Between Chinese letters CommonMark does not close `*…？*` where a sign comes before the star.
    for slide in edition.slides:
        for text in [slide.title, slide.body, *slide.notes.values()]:
            without_formulas = re.sub(r"\$[^$]*\$", "", text)
            shown = re.sub(r"<[^>]+>", "", markdown().render(without_formulas))
            assert "*" not in shown, slide.title


def test_notes_say_ask_and_know_the_wrong_answer(edition):
    assert all(slide.notes.keys() == {"say", "ask", "wrong"} for slide in edition.slides)


@pytest.mark.parametrize("key", FIGURES, ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_states_a_finding_and_is_not_empty(key, language):
    with words.spoken(language), warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        figure = outline_figure(*key)
        assert len(finding(figure)) > 8 and figure.get_label()
        ink = np.asarray(Image.open(io.BytesIO(slide_png(figure))).convert("L")) < 200
    assert 0.004 < ink.mean() < 0.9


@pytest.mark.parametrize("key", TABLES, ids=str)
def test_a_table_has_rows_in_both_languages(key):
    shapes = []
    for language in LANGUAGES:
        with words.spoken(language):
            table = outline_table(*key)
        assert table.size >= 4 and table.map(lambda cell: isinstance(cell, str | int | float)).all(axis=None)
        shapes.append(table.shape)
    assert shapes[0] == shapes[1]


def test_the_registries_have_all_numbers():
    wanted = {(technique, number) for technique in ("fastbert", "layerdrop") for number in range(1, 14)}
    assert set(FIGURES) == set(TABLES) == wanted


def test_all_editions_are_built_into_files_that_follow_their_sources():
    for name, language in EDITIONS:
        for kind in COMMITTED:
            path = BUILT / f"{name}-{language}.{kind}"
            assert path.is_file(), f"{path.relative_to(ROOT)} is missing; run `make slides`"
            assert built_digest(path) == digest(filled(name, language)), (
                f"{path.name} is old; run `make slides`"
            )
