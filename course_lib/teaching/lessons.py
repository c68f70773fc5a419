"""The lesson build: from one source per lesson to two languages and a student version of each.

A source is a jupytext percent file in notebooks/source. Its rules:

- A Markdown cell carries lang="en"; the very next cell carries lang="zh" and says the same.
- A code cell carries no language, stands once for both, and has at most 14 lines.
- A code cell tagged `solution` is followed by one tagged `starter`: the student version has the starter,
  the others the solution. Markdown tagged `solution`, and cells tagged `test`, are not for students either.
- Numbered headings end with the minutes they take and where: "## 3.1 Why depth? (10 min, class)" or
  "（10 分钟，课堂）", "(6 min, home)" or "（6 分钟，课后）". One class hour must hold the class sections.
- Exercises say their minutes: "**Exercise 1** (★, 5 min)". They are part of their section's minutes; an
  exercise of a class section that is done at home, "(★, 5 min, home)" or "（★，5 分钟，课后）", comes on top.
- Both languages say the same. `{{class_minutes}}`, `{{home_minutes}}` and `{{exercise_minutes}}` (wherever
  they are done) are the sums, and `{{runtime}}` is measured.

What comes out (never edited by hand):

    notebooks/NN.ipynb, notebooks/zh/NN.ipynb                      executed, outputs kept
    notebooks/exercises/NN.ipynb, notebooks/exercises/zh/NN.ipynb  not executed, no solutions

The same source gives the same notebooks: cell ids come from the cells' own text, and a rebuild in which
only measured times differ leaves the file alone. `check()` builds again without executing and reports
every notebook that an edit by hand, or a forgotten build, has let drift.
"""

import copy
import hashlib
import os
import re
import time
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib import words
from course_lib.measures.records import read_record, write_record
from course_lib.paths import ROOT, RUNS

NOTEBOOKS = ROOT / "notebooks"
MAX_CODE_LINES = 14
CELL_TIMEOUT = 1800  # seconds; a busy machine is no failure
TAGS = {
    "solution": "cut from the student version",
    "starter": "stands only in the student version, after its solution",
    "test": "moves the widgets; not in the student version",
    "timing": "its output holds measured times, which differ from run to run",
    "nbval-ignore-output": "run by the tests, output not compared",
    "nbval-check-output": "run by the tests, output compared",
}
CLASS_HOUR = 45  # minutes; what all class sections of a lesson may take together
PLACES = {"class": "class", "home": "home", "课堂": "class", "课后": "home"}
HEADING = {  # "## 3.1 Why depth? (10 min, class)"
    "en": re.compile(r"## .*?(?: \((?P<minutes>\d+) min(?:, (?P<place>class|home))?\))?$"),
    "zh": re.compile(r"## .*?(?:（(?P<minutes>\d+) 分钟(?:，(?P<place>课堂|课后))?）)?$"),
}
EXERCISE = {  # "**Exercise 1** (★, 5 min, home, open)"
    "en": re.compile(r"\*\*Exercise \d+\*\* \(★+, (?P<minutes>\d+) min(?:, (?P<place>home))?\b"),
    "zh": re.compile(r"\*\*练习 \d+\*\*（★+，(?P<minutes>\d+) 分钟(?:，(?P<place>课后))?"),
}
FACTS = ("runtime", "class_minutes", "home_minutes", "exercise_minutes")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class SourceError(ValueError):
    """A source breaks a rule; the message names file and line."""


@dataclass(frozen=True)
class Edition:
    """One of the four notebooks that come from a source."""

    language: str
    student: bool

    @property
    def folder(self) -> Path:
        """Where it stands, below the notebooks' folder."""
        return Path("exercises" if self.student else "") / ("zh" if self.language == "zh" else "")


EDITIONS = [Edition(language, student) for student in (False, True) for language in words.LANGUAGES]


@dataclass(frozen=True)
class Cell:
    """One cell of a source; `line` is that of its `# %%` marker, `language` is None for code."""

    kind: str
    text: str
    tags: tuple[str, ...]
    language: str | None
    line: int


@dataclass(frozen=True)
class Source:
    """A lesson's source, known to keep the rules."""

    name: str
    minutes: dict[str, int]
    cells: tuple[Cell, ...]


# --- reading a source ------------------------------------------------------------------------------


def read_source(path: Path) -> Source:
    """Reads a percent file and holds it to the rules.

    Raises:
        SourceError: a rule is broken; the message says which, in which file and line.
    """
    text = path.read_text("utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith("# %%")]
    if len(lines) != len(notebook.cells):
        raise SourceError(f"{path.name}: text before the first `# %%` marker, or none at all")

    cells = tuple(_cell(path.name, line, cell) for line, cell in zip(lines, notebook.cells, strict=True))
    _hold_pairs(path.name, cells)
    _hold_starters(path.name, cells)
    return Source(path.stem, _minutes(path.name, cells), cells)


def _cell(file: str, line: int, cell: NotebookNode) -> Cell:
    tags = tuple(cell.metadata.get("tags", []))
    language = cell.metadata.get("lang")
    where = f"{file}:{line}"
    for tag in tags:
        if tag not in TAGS:
            raise SourceError(f"{where}: unknown tag {tag!r}; known: {', '.join(TAGS)}")
    if cell.cell_type == "code":
        if language is not None:
            raise SourceError(f"{where}: a code cell has no language, but this one has lang={language!r}")
        length = sum(1 for row in cell.source.splitlines() if row.strip())
        if length > MAX_CODE_LINES:
            raise SourceError(f"{where}: {length} lines of code in one cell; at most {MAX_CODE_LINES}")
    elif cell.cell_type != "markdown":
        raise SourceError(f"{where}: a {cell.cell_type} cell; only code and Markdown are built")
    elif language not in words.LANGUAGES:
        raise SourceError(f'{where}: a Markdown cell needs lang="en" or lang="zh", not {language!r}')
    for fact in re.findall(r"{{(.*?)}}", cell.source) if cell.cell_type == "markdown" else []:
        if fact not in FACTS:
            raise SourceError(f"{where}: unknown fact {{{{{fact}}}}}; known: {', '.join(FACTS)}")
    return Cell(cell.cell_type, cell.source, tags, language, line)


def _hold_pairs(file: str, cells: tuple[Cell, ...]) -> None:
    """Markdown comes as an English cell directly followed by its Chinese one, tagged alike."""
    expected = None  # the English cell whose Chinese twin must come now
    for cell in cells:
        if expected is not None and (cell.language != "zh" or cell.tags != expected.tags):
            raise SourceError(
                f'{file}:{expected.line}: this lang="en" cell needs its lang="zh" twin, tagged alike, '
                f"as the next cell (line {cell.line})"
            )
        if expected is None and cell.language == "zh":
            raise SourceError(f'{file}:{cell.line}: a lang="zh" cell without its lang="en" cell before it')
        expected = cell if cell.language == "en" else None
    if expected is not None:
        raise SourceError(f'{file}:{expected.line}: this lang="en" cell has no lang="zh" twin')


def _hold_starters(file: str, cells: tuple[Cell, ...]) -> None:
    """Every solution in code has its starter, and every starter its solution."""
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if cell.kind == "code" and "solution" in cell.tags:
            if following is None or "starter" not in following.tags:
                raise SourceError(f"{file}:{cell.line}: a solution needs a starter cell right after it")
        elif following is not None and "starter" in following.tags:
            raise SourceError(f"{file}:{following.line}: a starter without its solution right before it")


@dataclass(frozen=True)
class _Timed:
    """A numbered heading or an exercise: how long it takes, and where it says it is done."""

    line: int
    kind: str
    minutes: int
    place: str | None

    def __str__(self) -> str:
        return f"{self.kind}, {self.minutes} min" + (f", {self.place}" if self.place else "")


def _timed(file: str, cells: tuple[Cell, ...], language: str) -> list[_Timed]:
    """What takes time in one language, in order."""
    found = []
    for cell in cells:
        rows = cell.text.splitlines() if cell.language == language else []
        for number, row in enumerate(rows, start=cell.line + 1):
            for kind, patterns in (("section", HEADING), ("exercise", EXERCISE)):
                said = patterns[language].match(row)
                if said and said["minutes"]:
                    found.append(_Timed(number, kind, int(said["minutes"]), PLACES.get(said["place"])))
                elif said and re.match(r"## \d", row):
                    raise SourceError(f"{file}:{number}: a numbered heading needs its minutes")
    return found


def _minutes(file: str, cells: tuple[Cell, ...]) -> dict[str, int]:
    """How long the lesson takes: what headings and exercises say, added up and held to a class hour."""
    timed, chinese = (_timed(file, cells, language) for language in ("en", "zh"))
    for ours, theirs in zip_longest(timed, chinese):
        if str(ours) != str(theirs):
            line = (ours or theirs).line
            raise SourceError(f"{file}:{line}: minutes: {ours} in English, but {theirs} in Chinese")

    sums = dict.fromkeys(("class", "home", "exercise"), 0)
    left = 0  # of the section's minutes, for its exercises
    for each in timed:
        if each.kind == "section" and each.place is None:
            raise SourceError(f'{file}:{each.line}: a section needs its place: "class" or "home"')
        if each.kind == "exercise":
            sums["exercise"] += each.minutes
        if each.place is not None:  # an exercise that names none is part of its section
            sums[each.place] += each.minutes
        left = each.minutes if each.kind == "section" else left - (0 if each.place else each.minutes)
        if left < 0:
            raise SourceError(f"{file}:{each.line}: the exercises take longer than their section")
    if sums["class"] > CLASS_HOUR:
        raise SourceError(
            f"{file}: the class sections take {sums['class']} minutes, but a class hour has {CLASS_HOUR}"
        )
    return {f"{place}_minutes": total for place, total in sums.items()}


# --- from a source to a notebook -------------------------------------------------------------------


def assemble(source: Source, edition: Edition, runtime: str) -> NotebookNode:
    """The notebook of one edition, without outputs."""
    left_out = {"solution", "test"} if edition.student else {"starter"}
    notebook = new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "course": {"language": edition.language, "source": f"notebooks/source/{source.name}.py"},
        }
    )
    facts = {**source.minutes, "runtime": runtime}
    seen: dict[str, int] = {}
    for cell in source.cells:
        if cell.language not in (None, edition.language) or left_out & set(cell.tags):
            continue
        text = cell.text
        if cell.kind == "markdown":
            text = re.sub(r"{{(.*?)}}", lambda match: str(facts[match[1]]), text)
        # From the source's text: neither a rebuild nor a cell inserted elsewhere changes this id.
        digest = hashlib.sha256(f"{cell.kind} {cell.text}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        make = new_code_cell if cell.kind == "code" else new_markdown_cell
        metadata = {"tags": list(cell.tags)} if cell.tags else {}
        if "test" in cell.tags:
            metadata["jupyter"] = {"source_hidden": True}
        notebook.cells.append(make(text, id=f"{digest}-{seen[digest]}", metadata=metadata))
    return notebook


def execute(notebook: NotebookNode, folder: Path, language: str) -> float:
    """Runs `notebook` in `folder`, as Jupyter would, keeps its outputs, and returns the seconds it took.

    Raises:
        RuntimeError: a cell wrote to stderr; a lesson's output has no warnings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    start = time.perf_counter()
    client.execute(env={**os.environ, "COURSE_LANG": language})
    seconds = time.perf_counter() - start
    for cell in _code_cells(notebook):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                raise RuntimeError(f"this cell writes a warning:\n{cell.source}\n\n{output.text}")
        cell.outputs = [output for output in cell.outputs if not _is_dead_widget(output)]
    return seconds


def _is_dead_widget(output: NotebookNode) -> bool:
    """Takes the live widget out of an output: stored, it is dead. True if no picture stays in its place."""
    data = output.get("data", {})
    return data.pop(WIDGET_VIEW, None) is not None and "image/png" not in data


# --- building and checking -------------------------------------------------------------------------


def sources(notebooks: Path = NOTEBOOKS, only: str | None = None) -> list[Path]:
    """All sources, or those whose name begins with `only` ("03").

    Raises:
        ValueError: it fits no source.
    """
    found = sorted((notebooks / "source").glob("*.py"))
    chosen = [path for path in found if path.stem.startswith(only or "")]
    if only and not chosen:
        raise ValueError(f"no lesson {only!r}; there are: {', '.join(path.stem for path in found)}")
    return chosen


def build(
    only: str | None = None, fresh: bool = False, notebooks: Path = NOTEBOOKS, records: Path = RUNS
) -> list[Path]:
    """Builds the lessons (see `sources`); returns the notebooks that were written or changed.

    `fresh` also writes those in which only measured times differ: for times taken on a busy machine.
    """
    changed = []
    for path in sources(notebooks, only):
        source = read_source(path)
        executed = {}
        for language in words.LANGUAGES:
            notebook = assemble(source, Edition(language, student=False), runtime="")
            print(f"running {source.name} ({language})", flush=True)
            seconds = execute(notebook, notebooks / Edition(language, student=False).folder, language)
            executed[language] = [cell for cell in notebook.cells if cell.cell_type == "code"]
            print(f"  {seconds:.0f} s", flush=True)
            if language == "en" and _rounded(seconds) != _recorded_seconds(source.name, records):
                write_record(_record_name(source.name), {"seconds": _rounded(seconds)}, records)

        for edition in EDITIONS:
            notebook = assemble(source, edition, _runtime(source.name, edition.language, records))
            if not edition.student:
                for cell, run in zip(_code_cells(notebook), executed[edition.language], strict=True):
                    cell.outputs, cell.execution_count = run.outputs, run.execution_count
            target = notebooks / edition.folder / f"{source.name}.ipynb"
            written = nbformat.read(target, 4) if target.is_file() else None
            same = written and (written if fresh else _without_times(written))
            if same != (notebook if fresh else _without_times(notebook)):
                target.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook, target)
                changed.append(target)
    return changed


def check(only: str | None = None, notebooks: Path = NOTEBOOKS, records: Path = RUNS) -> list[str]:
    """What differs between the sources (see `sources`) and the built notebooks; [] if nothing."""
    stems = [path.stem for path in sources(notebooks)]
    expected = {edition.folder / f"{stem}.ipynb" for edition in EDITIONS for stem in stems}
    findings = []
    for path in sources(notebooks, only):
        source = read_source(path)
        for edition in EDITIONS:
            relative = edition.folder / f"{source.name}.ipynb"
            if not (notebooks / relative).is_file():
                findings.append(f"{relative} is missing; run `make build`")
                continue
            built = nbformat.read(notebooks / relative, 4)
            fresh = assemble(source, edition, _runtime(source.name, edition.language, records))
            findings += [f"{relative}: {finding}" for finding in _differences(built, fresh)]
            if not edition.student and any(cell.execution_count is None for cell in _code_cells(built)):
                findings.append(f"{relative} has cells that were never run; run `make build`")
    for path in notebooks.rglob("*.ipynb"):
        relative = path.relative_to(notebooks)
        if relative not in expected and ".ipynb_checkpoints" not in relative.parts:
            findings.append(f"{relative} has no source")
    return findings


def _differences(built: NotebookNode, fresh: NotebookNode) -> list[str]:
    if built.metadata != fresh.metadata:
        return ["other metadata than its source gives; run `make build`"]
    if len(built.cells) != len(fresh.cells):
        return [f"{len(built.cells)} cells, its source gives {len(fresh.cells)}; run `make build`"]
    keys = ("id", "cell_type", "source", "metadata")
    return [
        f"cell {number} is not what its source gives; edit the source, then run `make build`"
        for number, (old, new) in enumerate(zip(built.cells, fresh.cells, strict=True), start=1)
        if any(old[key] != new[key] for key in keys)
    ]


def _without_times(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the outputs that differ from run to run."""
    notebook = copy.deepcopy(notebook)
    for cell in _code_cells(notebook):
        if "timing" in cell.metadata.get("tags", []):
            cell.outputs = []
    return notebook


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# --- measured runtime ------------------------------------------------------------------------------


def _record_name(lesson: str) -> str:
    return f"lesson-{lesson[:2]}"


def _rounded(seconds: float) -> int:
    """Up to the next ten seconds: as exact as a reader needs, and steadier than the clock."""
    return -int(-seconds // 10) * 10


def _recorded_seconds(lesson: str, records: Path) -> int | None:
    try:
        return read_record(_record_name(lesson), records)["seconds"]
    except FileNotFoundError:
        return None


def _runtime(lesson: str, language: str, records: Path) -> str:
    """The sentence part that says how long the lesson's code ran when it was built, and on what."""
    try:
        record = read_record(_record_name(lesson), records)
    except FileNotFoundError:
        return "?"  # never built; check() finds it
    machine = record["machine"]
    entry = words.catalogue()["lesson.runtime"][language]
    return entry.format(seconds=record["seconds"], processor=machine["processor"], threads=machine["threads"])
