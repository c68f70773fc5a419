"""The catalogue of words: complete, bilingual, and chosen by folder or environment."""

import ast
import string

import pytest

from course_lib import words
from course_lib.paths import ROOT

SOURCES = [*(ROOT / "course_lib").rglob("*.py"), *(ROOT / "notebooks" / "source").rglob("*.py")]


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    monkeypatch.delenv("COURSE_LANG", raising=False)
    words.use(None)
    yield
    words.use(None)


def keys_used():
    """(whole keys, beginnings of keys) in the calls of t() and say(); f-strings give beginnings."""
    whole, beginnings = set(), set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (
                isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("t", "say") and node.args
            ):
                continue
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.JoinedStr):
                    beginnings.add(part.values[0].value)
                elif isinstance(part, ast.Constant) and "." in str(part.value):
                    whole.add(part.value)
    return whole - beginnings, beginnings


def test_every_key_used_is_in_the_catalogue():
    whole, beginnings = keys_used()
    assert whole and beginnings
    missing = [key for key in whole if key not in words.catalogue()]
    missing += [start for start in beginnings if not any(key.startswith(start) for key in words.catalogue())]
    assert not missing


def test_every_key_of_the_catalogue_is_used():
    whole, beginnings = keys_used()
    # lesson.runtime is filled in for a language that need not be the one in use; the words of the explorer
    # are said by its JavaScript (tests/explorer/test_build.py).
    unused = words.catalogue().keys() - whole - {"lesson.runtime"}
    assert not [key for key in unused if not key.startswith((*beginnings, "explorer."))]


@pytest.mark.parametrize("key", words.catalogue())
def test_an_entry_speaks_both_languages_and_takes_the_same_values(key):
    entry = words.catalogue()[key]
    assert set(entry) == set(words.LANGUAGES)
    assert key == "check.hint.none" or all(text.strip() for text in entry.values())
    values = [
        {field for _, field, _, _ in string.Formatter().parse(entry[language]) if field}
        for language in words.LANGUAGES
    ]
    assert values[0] == values[1]


def test_the_files_of_the_catalogue_share_no_key(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "lesson03.toml").write_text('[axis.layer]\nen = "layer"\nzh = "层"\n', "utf-8")
    (tmp_path / "shared.toml").write_text('[axis.depth]\nen = "depth"\nzh = "深度"\n', "utf-8")
    read_anew = words.catalogue.__wrapped__  # past the cache
    assert set(read_anew()) == {"axis.layer", "axis.depth"}
    (tmp_path / "shared.toml").write_text('[axis.layer]\nen = "depth"\nzh = "深度"\n', "utf-8")
    with pytest.raises(ValueError, match=r"shared\.toml: the words for 'axis\.layer' stand in another file"):
        read_anew()


def test_the_folder_zh_speaks_chinese(tmp_path, monkeypatch):
    (tmp_path / "zh").mkdir()
    monkeypatch.chdir(tmp_path)
    assert words.language() == "en" and words.t("class.positive") == "positive"
    monkeypatch.chdir(tmp_path / "zh")
    assert words.language() == "zh" and words.t("class.positive") == "好评"


def test_the_environment_beats_the_folder_and_a_choice_beats_both(monkeypatch):
    monkeypatch.setenv("COURSE_LANG", "zh")
    assert words.language() == "zh"
    words.use("en")
    assert words.language() == "en"


def test_an_unknown_language_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="'de'"):
        words.use("de")
    monkeypatch.setenv("COURSE_LANG", "fr")
    with pytest.raises(ValueError, match="'fr'"):
        words.language()


def test_a_missing_key_suggests_the_nearest():
    with pytest.raises(KeyError, match=r"did you mean 'axis\.accuracy'"):
        words.t("axis.acuracy")


def test_a_class_is_named_in_the_language_in_use():
    words.use("zh")
    assert [words.class_word(name) for name in ("Tom/小明", "negative", "spam")] == ["小明", "差评", "spam"]
    words.use("en")
    assert words.class_word("Tom/小明") == "Tom"
