"""When two labels are one class."""

import pytest
from own_rows import ROWS, write

from course_lib.texts.own_texts import from_files
from course_lib.texts.shape import class_names


def classes_of(tmp_path, first: str, second: str, third: str | None = None) -> list[str]:
    names = [first, second, third or second]
    rows = [(text, names[label + (number % 4 == 1)]) for number, (text, label) in enumerate(ROWS)]
    return class_names(from_files(write(tmp_path / "mine.csv", ["text", "label"], rows)))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("neg", "pos", "pos "), ["neg", "pos"]),
        (("neg", "pos", "\u00a0pos\u3000"), ["neg", "pos"]),
        (("0.0", "1.0"), ["0", "1"]),
        (("0", "1", "1.0"), ["0", "1"]),
        (("-1.0", "1.00"), ["-1", "1"]),
        (("1.0", "4.5"), ["1", "4.5"]),
        (("01", "02"), ["01", "02"]),
        (("True", "False"), ["False", "True"]),
        (("1.0.0", "v2.0"), ["1.0.0", "v2.0"]),
    ],
)
def test_blanks_and_point_zero_do_not_make_a_class(tmp_path, labels, classes):
    assert classes_of(tmp_path, *labels) == classes


@pytest.mark.parametrize(
    "spellings", [("pos", "Pos"), ("1", "１"), ("1", "01"), ("好 评", "好评"), ("4.5", "4.50")]
)
def test_two_spellings_of_one_class_are_refused(tmp_path, spellings):
    with pytest.raises(ValueError, match="differ only in how they are spelled; spell them alike") as raised:
        classes_of(tmp_path, "neg", *spellings)
    assert all(repr(each) in str(raised.value) for each in spellings)
