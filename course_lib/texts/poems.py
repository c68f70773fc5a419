"""Tang poems in regular forms: 5 or 7 characters a line, 4 or 8 lines. For writing on, not for classes.

From the package chinese-poetry (see `packages.py`); the poems are in the public domain. Some of those that
nothing was trained on lie in data/poems, so that lessons need no package.
"""

import hashlib
import json
import re
from functools import lru_cache

import opencc
from datasets import Dataset, DatasetDict
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from course_lib.paths import DATA
from course_lib.texts.packages import files_below
from course_lib.texts.shape import SPLITS, remove_white_space, split_of

HELD_OUT = DATA / "poems" / "held-out.jsonl"
HELD_OUT_EACH = 50  # poems of each form
FORMS = {(5, 4): "五绝", (5, 8): "五律", (7, 4): "七绝", (7, 8): "七律"}  # (characters a line, lines)
LINES = re.compile("[，。？！；]")


@lru_cache
def poems() -> DatasetDict:
    """Tang poems in simplified characters, 80/10/10, with `text`, `form`, `title` and `author`.

    Every couplet ends in a full stop, every other line in a comma, whatever stood there. Poems that share a
    line (versions of one poem, quotations) go into one split together, the one that the hash of the first of
    them says: so no line of a split stands in another one.

    Raises:
        ValueError, OSError: as `packages.archive`.
    """
    simplified = opencc.OpenCC("t2s").convert
    found: dict[str, dict] = {}
    for _, data in files_below("chinese-poetry", "package/dist/quantangshi/poet.tang.", ".json"):
        for poem in json.loads(data):
            if text := regular(simplified("".join(poem["paragraphs"]))):
                about = {key: simplified(poem[key]) for key in ("title", "author")}
                found.setdefault(text, {"text": text, "form": form_of(text), **about})
    parts: dict[str, list[dict]] = {split: [] for split in SPLITS}
    texts = sorted(found, key=_hash)  # so that their order says nothing
    for text, first in zip(texts, first_relatives(texts), strict=True):
        parts[split_of(first)].append(found[text])
    return DatasetDict({split: Dataset.from_list(rows) for split, rows in parts.items()})


def regular(text: str) -> str | None:
    """A poem in one of the `FORMS`, its punctuation made regular; None for any other text."""
    text = remove_white_space(text)
    lines = lines_of(text)
    if re.search("[^㐀-鿿，。？！；]", text) or not LINES.match(text[-1:]):
        return None
    if len({len(line) for line in lines}) != 1 or (len(lines[0]), len(lines)) not in FORMS:
        return None
    return "".join(f"{first}，{second}。" for first, second in zip(lines[::2], lines[1::2], strict=True))


def lines_of(text: str) -> list[str]:
    """The lines of a poem, without what ends them. An empty line (two signs side by side) is one, too."""
    lines = LINES.split(text)
    return lines[:-1] if lines[-1] == "" else lines


def form_of(text: str) -> str | None:
    """The name of a poem's form; None where its lines are not all of one of the right lengths."""
    lines = lines_of(text)
    return FORMS.get((len(lines[0]), len(lines))) if len({len(line) for line in lines}) == 1 else None


def first_relatives(texts: list[str]) -> list[str]:
    """For each poem the first one that it shares a line with, or whose relatives it shares one with."""
    number_of_line: dict[str, int] = {}
    pairs = [
        (poem, number_of_line.setdefault(line, len(number_of_line)))
        for poem, text in enumerate(texts)
        for line in lines_of(text)
    ]
    poems_in, lines_in = zip(*pairs, strict=True)
    total = len(texts) + len(number_of_line)
    joined = coo_matrix(
        ([True] * len(pairs), (poems_in, [len(texts) + line for line in lines_in])), shape=(total, total)
    )
    _, group = connected_components(joined, directed=False)
    first: dict[int, str] = {}
    return [first.setdefault(int(group[poem]), text) for poem, text in enumerate(texts)]


def held_out_poems() -> Dataset:
    """The poems of the test split that lie in data/poems, with the columns of `poems`."""
    return Dataset.from_list([json.loads(line) for line in HELD_OUT.read_text("utf-8").splitlines()])


def write_held_out(corpus: DatasetDict) -> None:
    """Writes data/poems: the first `HELD_OUT_EACH` poems of each form in the test split."""
    chosen: list[dict] = []
    for form in FORMS.values():
        chosen += [row for row in corpus["test"] if row["form"] == form][:HELD_OUT_EACH]
    HELD_OUT.parent.mkdir(parents=True, exist_ok=True)
    HELD_OUT.write_text("".join(map(_line, chosen)), encoding="utf-8")


def _line(row: dict) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
