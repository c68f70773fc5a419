"""The lesson build: bad sources are refused, the editions agree, and what is committed follows its source."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib.teaching import lessons
from course_lib.teaching.lessons import EDITIONS, Edition, SourceError, assemble, read_source

HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

"""
GOOD = (
    HEADER
    + """\
# %% [markdown] lang="en"
# # Title, {{class_minutes}} minutes, {{runtime}}

# %% [markdown] lang="zh"
# # 标题，{{class_minutes}} 分钟，{{runtime}}

# %%
from course_lib import words

print(words.t("class.positive"))

# %% tags=["solution"]
def answer():
    return 42

# %% tags=["starter"]
def answer():
    raise NotImplementedError

# %% tags=["test"]
assert answer() == 42

# %% tags=["timing"]
import time

print(time.perf_counter())

# %% [markdown] lang="en"
# ## 1.1 A part (5 min, class)
#
# **Exercise 1** (★, 3 min, open). Say 42.

# %% [markdown] lang="zh"
# ## 1.1 一节（5 分钟，课堂）
#
# **练习 1**（★，3 分钟，开放题）。说 42。
"""
)
HOME = (
    GOOD
    + """
# %% [markdown] lang="en"
# ## 1.2 More (41 min, home)
#
# ## What you saw

# %% [markdown] lang="zh"
# ## 1.2 更多（41 分钟，课后）
#
# ## 看到了什么
"""
)


def written(folder, text, name="01_small.py"):
    path = folder / "source" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def english(monkeypatch):
    monkeypatch.delenv("COURSE_LANG", raising=False)


# --- rules -----------------------------------------------------------------------------------------

BAD = {
    "no Chinese twin": (
        GOOD.replace('lang="zh"', 'lang="en"'),
        r"01_small\.py:8: .*needs its lang=\"zh\" twin",
    ),
    "twin tagged otherwise": (
        GOOD.replace('[markdown] lang="zh"', '[markdown] lang="zh" tags=["solution"]'),
        r":8: .*tagged alike",
    ),
    "Chinese first": (GOOD.replace('lang="en"', 'lang="zh"', 1), r":8: a lang=\"zh\" cell without"),
    "English at the end": (GOOD + '\n# %% [markdown] lang="en"\n# end\n', r"has no lang=\"zh\" twin"),
    "no language": (GOOD.replace(' lang="en"', ""), r":8: a Markdown cell needs lang=\"en\" or lang=\"zh\""),
    "another language": (GOOD.replace('lang="en"', 'lang="fr"'), r":8: .*not 'fr'"),
    "code with a language": (GOOD.replace("# %%\n", '# %% lang="en"\n'), r":14: a code cell has no language"),
    "unknown tag": (GOOD.replace('["test"]', '["tset"]'), r":27: unknown tag 'tset'; known: solution"),
    "long code": (GOOD + "\n# %%\n" + "x = 1\n" * 15, r": 15 lines of code in one cell; at most 14"),
    "unknown fact": (GOOD.replace("{{runtime}}", "{{speed}}"), r":8: unknown fact {{speed}}"),
    "solution alone": (
        GOOD.replace('# %% tags=["starter"]', "# %%"),
        r":19: a solution needs a starter cell right after it",
    ),
    "starter alone": (GOOD.replace('tags=["solution"]', ""), r":23: a starter without its solution"),
    "other minutes": (
        GOOD.replace("（5 分钟", "（6 分钟"),
        r":36: minutes: section, 5 min, class in English, but section, 6 min, class in Chinese",
    ),
    "other place": (GOOD.replace("，课堂", "，课后"), r"min, class in English, but section, 5 min, home in"),
    "minutes missing": (
        GOOD.replace("★，3 分钟，", "★，"),
        r":38: minutes: exercise, 3 min in English, but None in Chinese",
    ),
    "no minutes at all": (
        GOOD.replace(" (5 min, class)", "").replace("（5 分钟，课堂）", ""),
        r":36: a numbered heading needs its minutes",
    ),
    "a section without its place": (
        GOOD.replace(", class", "").replace("，课堂", ""),
        r":36: a section needs its place",
    ),
    "more than a class hour": (
        HOME.replace("41 min, home", "41 min, class").replace("41 分钟，课后", "41 分钟，课堂"),
        r"01_small\.py: the class sections take 46 minutes, but a class hour has 45",
    ),
    "exercises longer than their section": (
        GOOD.replace("3 min", "6 min").replace("3 分钟", "6 分钟"),
        r":38: the exercises take longer than their section",
    ),
    "raw cell": (GOOD + "\n# %% [raw]\n# text\n", r"a raw cell; only code and Markdown"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_source_is_refused_with_file_and_line(tmp_path, case):
    text, message = BAD[case]
    with pytest.raises(SourceError, match=message):
        read_source(written(tmp_path, text))


def test_a_good_source_is_read(tmp_path):
    source = read_source(written(tmp_path, GOOD))
    assert [cell.kind for cell in source.cells] == ["markdown"] * 2 + ["code"] * 5 + ["markdown"] * 2
    assert minutes_of(source) == (5, 0, 3)


def minutes_of(source):
    return tuple(source.minutes[f"{place}_minutes"] for place in ("class", "home", "exercise"))


def test_minutes_are_added_up_by_place(tmp_path):
    assert minutes_of(read_source(written(tmp_path, HOME))) == (5, 41, 3)


def test_an_exercise_done_at_home_comes_on_top_of_its_section(tmp_path):
    at_home = HOME.replace("★, 3 min,", "★, 30 min, home,").replace("★，3 分钟，", "★，30 分钟，课后，")
    assert minutes_of(read_source(written(tmp_path, at_home))) == (5, 71, 30)


def test_an_unknown_lesson_is_refused(tmp_path):
    written(tmp_path, GOOD)
    with pytest.raises(ValueError, match="no lesson '09'; there are: 01_small"):
        lessons.sources(tmp_path, "09")


# --- editions --------------------------------------------------------------------------------------


def test_the_editions_of_a_source(tmp_path):
    source = read_source(written(tmp_path, GOOD))
    made = {edition: assemble(source, edition, "9 s") for edition in EDITIONS}
    folders = [edition.folder.as_posix() for edition in EDITIONS]
    assert folders == [".", "zh", "exercises", "exercises/zh"]

    for student in (False, True):
        english, chinese = (made[Edition(language, student)] for language in ("en", "zh"))
        assert code(english) == code(chinese)
        assert english.cells[0].source == "# Title, 5 minutes, 9 s"
        assert chinese.cells[0].source == "# 标题，5 分钟，9 s"
    full, student = (code(made[Edition("en", student)]) for student in (False, True))
    assert any("42" in cell for cell in full) and not any("NotImplementedError" in cell for cell in full)
    assert not any("42" in cell for cell in student) and any(
        "NotImplementedError" in cell for cell in student
    )


def test_ids_stay_when_another_cell_is_put_in(tmp_path):
    before = assemble(read_source(written(tmp_path, GOOD)), EDITIONS[0], "")
    longer = GOOD.replace("# %% tags=", "# %%\nx = 1\n\n# %% tags=", 1)
    after = assemble(read_source(written(tmp_path, longer)), EDITIONS[0], "")
    ids = [cell.id for cell in after.cells]
    assert len(ids) == len(before.cells) + 1 == len(set(ids))
    assert [cell.id for cell in before.cells] == [
        id for cell, id in zip(after.cells, ids, strict=True) if cell.source != "x = 1"
    ]


# --- building and checking -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small lesson, built once: (notebooks, records)."""
    folder = tmp_path_factory.mktemp("lessons")
    notebooks, records = folder / "notebooks", folder / "runs"
    written(notebooks, GOOD)
    environment = os.environ.pop("COURSE_LANG", None)
    changed = lessons.build(notebooks=notebooks, records=records)
    assert len(changed) == 4
    if environment is not None:
        os.environ["COURSE_LANG"] = environment
    return notebooks, records


def output_of(notebook, number):
    return "".join(output.get("text", "") for output in code_cells(notebook)[number].outputs)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_a_build_runs_both_languages_and_no_student_version(built):
    notebooks, _ = built
    english, chinese = (nbformat.read(notebooks / part / "01_small.ipynb", 4) for part in ("", "zh"))
    assert output_of(english, 0) == "positive\n" and output_of(chinese, 0) == "好评\n"
    student = nbformat.read(notebooks / "exercises/zh/01_small.ipynb", 4)
    assert all(cell.execution_count is None and not cell.outputs for cell in code_cells(student))
    for path in notebooks.rglob("*.ipynb"):
        nbformat.validate(nbformat.read(path, 4))


def test_a_build_records_its_seconds_and_states_them(built):
    notebooks, records = built
    record = lessons.read_record("lesson-01", records)
    title = nbformat.read(notebooks / "01_small.ipynb", 4).cells[0].source
    assert f"about {record['seconds']} s" in title and record["machine"]["processor"] in title
    assert record["seconds"] % 10 == 0


def test_a_second_build_leaves_the_files_alone_though_times_differ(built):
    notebooks, records = built
    before = {path: path.read_bytes() for path in notebooks.rglob("*.ipynb")}
    seconds = lessons.read_record("lesson-01", records)["seconds"]
    changed = lessons.build("01", notebooks=notebooks, records=records)
    if lessons.read_record("lesson-01", records)["seconds"] == seconds:  # else the title truly changed
        assert changed == []
        assert before == {path: path.read_bytes() for path in notebooks.rglob("*.ipynb")}


def test_nothing_has_drifted_after_a_build(built):
    notebooks, records = built
    assert lessons.check(notebooks=notebooks, records=records) == []


@pytest.fixture
def copy(built, tmp_path):
    """A copy of the built lesson that a test may spoil."""
    import shutil

    notebooks, records = built
    shutil.copytree(notebooks, tmp_path / "notebooks")
    return tmp_path / "notebooks", records


def test_a_fresh_build_writes_new_times(copy):
    notebooks, records = copy
    changed = lessons.build("01", fresh=True, notebooks=notebooks, records=records)
    ran = {path.relative_to(notebooks).as_posix() for path in changed}
    assert {"01_small.ipynb", "zh/01_small.ipynb"} <= ran


def spoiled(copy, change):
    notebooks, records = copy
    path = notebooks / "zh" / "01_small.ipynb"
    notebook = nbformat.read(path, 4)
    change(notebook)
    nbformat.write(notebook, path)
    return lessons.check(notebooks=notebooks, records=records)


def test_an_edit_by_hand_is_found(copy):
    def change(notebook):
        notebook.cells[1].source += "\n# by hand"

    assert spoiled(copy, change) == [
        "zh/01_small.ipynb: cell 2 is not what its source gives; edit the source, then run `make build`"
    ]


def test_a_lost_cell_is_found(copy):
    findings = spoiled(copy, lambda notebook: notebook.cells.pop())
    assert findings == ["zh/01_small.ipynb: 5 cells, its source gives 6; run `make build`"]


def test_a_cell_never_run_is_found(copy):
    def change(notebook):
        notebook.cells[1].execution_count = None

    assert spoiled(copy, change) == ["zh/01_small.ipynb has cells that were never run; run `make build`"]


def test_a_missing_and_a_stray_notebook_are_found(copy):
    notebooks, records = copy
    (notebooks / "exercises" / "01_small.ipynb").rename(notebooks / "02_stray.ipynb")
    assert lessons.check(notebooks=notebooks, records=records) == [
        "exercises/01_small.ipynb is missing; run `make build`",
        "02_stray.ipynb has no source",
    ]


def test_a_lesson_that_warns_is_not_built(tmp_path):
    noisy = HEADER + '# %%\nimport warnings\n\nwarnings.warn("look")\n'
    written(tmp_path, noisy)
    with pytest.raises(RuntimeError, match="look"):
        lessons.build(notebooks=tmp_path, records=tmp_path)


def test_a_stored_output_keeps_the_picture_of_a_widget_and_not_the_widget():
    output = nbformat.v4.new_output(
        "display_data", {lessons.WIDGET_VIEW: {}, "image/png": "", "text/plain": "x"}
    )
    assert not lessons._is_dead_widget(output) and lessons.WIDGET_VIEW not in output.data
    bar = nbformat.v4.new_output("display_data", {lessons.WIDGET_VIEW: {}, "text/plain": "0%"})
    assert lessons._is_dead_widget(bar)


# --- the course's own lessons ----------------------------------------------------------------------

SOURCES = lessons.sources()


def test_the_committed_notebooks_follow_their_sources():
    assert SOURCES and lessons.check() == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_student_version_holds_no_solution(path):
    source = read_source(path)
    solutions = [cell.text for cell in source.cells if "solution" in cell.tags]
    student = assemble(source, Edition("en", student=True), "")
    assert not set(solutions) & {cell.source for cell in student.cells}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_student_version_runs_with_nothing_but_gaps(path):
    """Untouched, it may raise NotImplementedError in a starter cell, and nothing else anywhere."""
    notebook = assemble(read_source(path), Edition("en", student=True), "")
    resources = {"metadata": {"path": str(lessons.NOTEBOOKS)}}
    NotebookClient(notebook, timeout=300, allow_errors=True, resources=resources).execute()
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                assert output.ename == "NotImplementedError" and "starter" in cell.metadata.tags, (
                    output.evalue
                )
