"""What makes two labels the same class."""

import re
from collections.abc import Iterable

from course_lib.texts.shape import canonical


def label_name(cell: str) -> str:
    """A label without blanks around it; whole numbers without ".0", which pandas appends to them."""
    return re.sub(r"^([+-]?\d+)\.0*$", r"\1", cell.strip())


def refuse_two_spellings(names: Iterable[str], origin: str) -> None:
    """A class that is spelled in two ways would be trained as two.

    Raises:
        ValueError: two names differ in case, width or white space only, or are the same number.
    """
    spelled: dict[object, str] = {}
    for name in names:
        other = spelled.setdefault(_sense(name), name)
        if other != name:
            raise ValueError(
                f"{origin}: the classes {other!r} and {name!r} differ only in how they are spelled; "
                "spell them alike in the file"
            )


def _sense(name: str) -> object:
    try:
        return float(name)
    except ValueError:
        return canonical(name)
