"""What nbval cannot see in the built notebooks. (nbval itself runs every cell of both languages: pytest
collects notebooks/*.ipynb and notebooks/zh/*.ipynb beside these tests, see pyproject.toml.)
"""

import re

import nbformat
import pytest

from course_lib.teaching.lessons import NOTEBOOKS, sources

BUILT = [NOTEBOOKS / part / f"{path.stem}.ipynb" for path in sources() for part in ("", "zh")]


def read(path):
    if not path.is_file():
        pytest.skip(f"{path.name} is not built yet; run `make build`")
    return nbformat.read(path, 4)


@pytest.mark.parametrize("path", BUILT, ids=lambda path: "-".join(path.parts[-2:]))
class TestBuilt:
    def test_no_cell_failed_or_warned(self, path):
        for cell in read(path).cells:
            for output in cell.get("outputs", []):
                assert output.output_type != "error" and output.get("name") != "stderr", cell.source

    def test_every_picture_has_words_for_those_who_cannot_see_it(self, path):
        pictures = [
            output
            for cell in read(path).cells
            for output in cell.get("outputs", [])
            if "image/png" in output.get("data", {})
        ]
        assert pictures
        for output in pictures:
            assert len(output.metadata["image/png"]["alt"]) > 8
            assert output.data["text/plain"] == output.metadata["image/png"]["alt"]

    def test_the_chinese_edition_speaks_chinese_and_the_english_one_does_not(self, path):
        words = [
            "".join(output.data["text/markdown"])
            for cell in read(path).cells
            for output in cell.get("outputs", [])
            if "text/markdown" in output.get("data", {})
        ]
        chinese = [bool(re.search("[\u4e00-\u9fff]", text)) for text in words]
        assert words and all(said == (path.parent.name == "zh") for said in chinese)

    def test_each_slider_is_moved_by_a_test_cell(self, path):
        cells = read(path).cells
        tests = [cell.source for cell in cells if "test" in cell.metadata.get("tags", [])]
        for cell in cells:
            for name in re.findall(r"^(\w+) = \w+Slider\(", cell.source, re.MULTILINE):
                assert any(name in source and ".value" in source for source in tests), name
