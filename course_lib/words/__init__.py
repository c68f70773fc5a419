"""The words of figures, widgets and checks, in English and Chinese, from one catalogue.

One file a lesson and one for what they share (`shared.toml`); together they are the catalogue.

    t("axis.layer")                    -> "layer" or "层"
    t("slider.accuracy", value=0.86)   -> the value formatted as the catalogue says
    say("reading.exits", first=0.8)    -> the sentence, displayed as Markdown in a notebook

Which language: the one given to `use()`; else the environment variable COURSE_LANG; else Chinese if the
working directory is a folder named `zh`; else English. Jupyter, nbval and nbconvert all run a notebook in
its own folder, so `notebooks/zh/` speaks Chinese without one line of code in it.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("en", "zh")

_chosen: str | None = None


def use(language: str | None) -> None:
    """Speaks `language` from now on; None leaves the choice to COURSE_LANG and the folder again."""
    global _chosen
    _chosen = None if language is None else _known(language)


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Speaks `language` inside the `with`, and what was spoken before it afterwards."""
    before = _chosen
    use(language)
    try:
        yield
    finally:
        use(before)


def language() -> str:
    """The language in use, "en" or "zh".

    Raises:
        ValueError: COURSE_LANG names another one.
    """
    if _chosen is not None:
        return _chosen
    from_environment = os.environ.get("COURSE_LANG")
    if from_environment:
        return _known(from_environment)
    return "zh" if Path.cwd().name == "zh" else "en"


def t(key: str, **values) -> str:
    """The words for `key` in the language in use, `values` filled in by `str.format`.

    Raises:
        KeyError: the catalogue has no such key (the message suggests the nearest), or a value is missing.
    """
    words = catalogue()
    if key not in words:
        near = difflib.get_close_matches(key, words, n=1, cutoff=0)
        raise KeyError(f"no words for {key!r} in course_lib/words; did you mean {near[0]!r}?")
    return words[key][language()].format(**values)


def say(key: str, **values) -> None:
    """Displays the sentence for `key` as Markdown, so that lessons read numbers aloud and type none."""
    from IPython.display import Markdown, display

    display(Markdown(t(key, **values)))


@lru_cache
def catalogue() -> dict[str, dict[str, str]]:
    """All entries: dotted key -> {"en": …, "zh": …}.

    Raises:
        ValueError: a key stands in two files.
    """
    found: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for key, entry in _entries(tomllib.loads(path.read_text("utf-8")), ""):
            if key in found:
                raise ValueError(f"{path.name}: the words for {key!r} stand in another file, too")
            found[key] = entry
    return found


def _entries(table: dict, prefix: str):
    """Walks the nested tables of the file; a table that holds strings is an entry."""
    for name, content in table.items():
        key = f"{prefix}{name}"
        if all(isinstance(value, str) for value in content.values()):
            yield key, content
        else:
            yield from _entries(content, key + ".")


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, not {language!r}")
    return language


def class_word(name: str) -> str:
    """A class's name in the language in use: "positive" by the catalogue, "Tom/小明" by its halves."""
    if "/" in name:
        return name.split("/")[LANGUAGES.index(language())]
    return t(f"class.{name}") if f"class.{name}" in catalogue() else name
