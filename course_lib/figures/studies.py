"""How the networks of the pruning study look in every picture: one colour and one sign each."""

from course_lib.style import BLUE, BROWN, GREEN, PINK, PURPLE, RED, SKY, YELLOW
from course_lib.words import catalogue, t

LOOKS = {
    "plain": {"color": BLUE, "marker": "o", "linestyle": "-"},
    "layerdrop": {"color": GREEN, "marker": "s", "linestyle": "-"},
    "half": {"color": PURPLE, "marker": "^", "linestyle": "-"},
}
# For all others, a reader's own among them; orange and grey mean other things in these pictures.
FURTHER = [
    {"color": color, "marker": marker, "linestyle": "-"}
    for color, marker in ((RED, "D"), (SKY, "v"), (BROWN, "P"), (PINK, "X"), (YELLOW, "*"))
]
_others: dict[str, int] = {}  # by name: so many others were asked for before it


def look(study: str) -> dict:
    """Colour, marker, line style and label for plots; a study that is not the course's keeps what it gets."""
    name = _short(study)
    if name in LOOKS:
        found = LOOKS[name]
    else:
        found = FURTHER[_others.setdefault(name, len(_others)) % len(FURTHER)]
    return {**found, "label": study_word(study)}


def study_word(study: str) -> str:
    """The study's name in the language in use; one that the catalogue does not know is called as it is."""
    key = f"study.{_short(study)}"
    return t(key) if key in catalogue() else study


def _short(study: str) -> str:
    """A recipe may be named in full: "pruning-layerdrop" is "layerdrop"."""
    return study.removeprefix("pruning-")
