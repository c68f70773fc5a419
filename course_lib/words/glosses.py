"""What the Chinese texts that lessons show say in English, for readers of the English edition.

The texts themselves lie in packages, so each is named here by its digest (`digest`).
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from course_lib.words import language


def digest(text: str) -> str:
    """The name of a text in `glosses.json`: the first 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def gloss(text: str) -> str:
    """The English for `text`; empty in the Chinese edition, and where nobody has written one."""
    return "" if language() == "zh" else _glosses().get(digest(text), "")


def with_gloss(text: str) -> str:
    """`text`, and its English behind it in brackets where there is one."""
    english = gloss(text)
    return f"{text} ({english})" if english else text


@lru_cache
def _glosses() -> dict[str, str]:
    return json.loads((Path(__file__).parent / "glosses.json").read_text("utf-8"))
