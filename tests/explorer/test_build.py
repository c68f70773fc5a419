"""The page is built from its sources of today, holds its words in both languages, and asks nobody."""

import json
import re
import shutil
import subprocess

import pytest

from course_lib.explorer import build
from course_lib.explorer.build import PAGE, SOURCES, page_part


def test_the_page_is_not_older_than_its_sources():
    found = re.search(r'data-sources="(\w+)"', PAGE.read_text("utf-8"))[1]
    assert found == build.digest(), "`make explorer` builds it anew"


def test_the_digest_sees_every_source(tmp_path, monkeypatch):
    copy = shutil.copytree(SOURCES, tmp_path / SOURCES.name)
    monkeypatch.setattr(build, "SOURCES", copy)
    seen = {build.digest()}
    for file in copy.iterdir():
        file.write_text(file.read_text("utf-8") + "\n", "utf-8")
        seen.add(build.digest())
    assert len(seen) == 1 + len(list(copy.iterdir())) > 10


def test_every_word_of_the_page_is_in_the_catalogue_and_used():
    code = "".join(file.read_text("utf-8") for file in SOURCES.iterdir())
    used = set(re.findall(r'data-(?:say|label)="(\w+)"', code)) | set(re.findall(r'"(\w+)"', code))
    words = build.page_words()
    asked = set(re.findall(r'data-(?:say|label)="(\w+)"', code)) | set(re.findall(r'\bsay\("(\w+)"', code))
    assert asked <= set(words)
    assert {word for word in words if not word.startswith("class_")} <= used


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_values_of_a_word_are_given_where_it_is_said(language):
    """Every {name} of a word stands in the sources as a value, or is among the builder's."""
    code = "".join(file.read_text("utf-8") for file in SOURCES.glob("*.mjs"))
    given = set(re.findall(r"\b(\w+)\b\s*[:,}]", code)) | {"sentences", "mean", "most", "same"}
    for key, entry in build.page_words().items():
        assert set(re.findall(r"\{(\w+)\}", entry[language])) <= given, key


def test_the_page_names_no_other_machine():
    text = re.sub(r'<script id="weights-block".*?</script>', "", PAGE.read_text("utf-8"), flags=re.DOTALL)
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text))
    assert addresses <= {"http://www.w3.org"}  # the name of SVG, which is never fetched
    assert "default-src 'none'" in text and "connect-src" not in text


def test_a_bundle_keeps_every_module_in_its_own_scope(tmp_path, monkeypatch, node):
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    (tmp_path / "one.mjs").write_text("const hidden = 1;\nexport const one = () => hidden;\n")
    (tmp_path / "two.mjs").write_text(
        'import { one } from "./one.mjs";\nconst hidden = 10;\nexport function two() {\n'
        "  return hidden + one();\n}\n"
    )
    script = build.bundle("two")
    assert script.count("const $one") == 1
    done = subprocess.run(["node", "-e", f"{script}\nconsole.log(two())"], capture_output=True, text=True)
    assert done.stdout.strip() == "11", done.stderr


@pytest.mark.parametrize(
    "line", ["export default 1;", 'import * as all from "./one.mjs";', 'import x from "y";']
)
def test_a_module_that_the_builder_does_not_understand_is_refused(tmp_path, monkeypatch, line):
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    (tmp_path / "one.mjs").write_text("export const one = 1;\n")
    (tmp_path / "two.mjs").write_text(line + "\n")
    with pytest.raises(ValueError, match="two.mjs imports or exports"):
        build.bundle("two")


def test_facts_are_those_of_the_configs():
    facts = json.loads(page_part("facts"))
    assert facts["networks"]["reviews-fastbert"] == {"layers": 12, "classes": ["negative", "positive"]}
    assert facts["networks"]["worlds-fastbert"]["classes"][0] == "Tom/小明"
    assert set(facts["values"]) == {"sentences", "mean", "most", "same"}
