"""How the networks of the pruning study look in every picture: one colour and one sign each."""

from course_lib.style import BLUE, GREEN, PURPLE
from course_lib.words import t

LOOKS = {
    "plain": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "layerdrop": {"color": GREEN, "marker": "s", "linestyle": "-"},
    "half": {"color": PURPLE, "marker": "^", "linestyle": "-"},
}


def look(study: str) -> dict:
    """Colour, marker, line style and label for plots."""
    return {**LOOKS[study], "label": study_word(study)}


def study_word(study: str) -> str:
    """The study's name in the language in use."""
    return t(f"study.{study}")
