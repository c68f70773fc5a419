"""Whether a text keeps the form of a regular poem: the lengths of its lines, and the rhyme.

Rhyme is heard with today's pronunciation (pypinyin) and told by the fourteen rhymes of 中华新韵 (2004). That
is not the sound of the Tang: many of the poets' own rhymes no longer sound alike. So a figure says something
only beside that of real poems.
"""

from collections import Counter
from collections.abc import Sequence

from pypinyin import Style, pinyin

from course_lib.measures.generation import distinct_n, repetition
from course_lib.texts.poems import form_of, lines_of

RHYME_OF = {  # pypinyin writes ü as v
    final: rhyme
    for rhyme, finals in {
        "麻": "a ia ua",
        "波": "o e uo",
        "皆": "ie ve",
        "开": "ai uai",
        "微": "ei uei",
        "豪": "ao iao",
        "尤": "ou iou",
        "寒": "an ian uan van",
        "文": "en in uen vn",
        "唐": "ang iang uang",
        "庚": "eng ing ueng ong iong",
        "齐": "i er v",
        "姑": "u",
    }.items()
    for final in finals.split()
}
BUZZING = ("zh", "ch", "sh", "r", "z", "c", "s")  # after these an i is another vowel: the rhyme 支


def rhyming_share(text: str) -> float | None:
    """Of the last characters of the second, fourth, … line, the share with the commonest rhyme; None if there
    are fewer than two."""
    ends = [line[-1] for line in lines_of(text)[1::2] if line]
    if len(ends) < 2:
        return None
    return Counter(map(rhyme, ends)).most_common(1)[0][1] / len(ends)


def rhyme(character: str) -> str:
    """The character's rhyme (its first reading): 光 -> "唐", 年 -> "寒"; itself where it has no reading."""
    final = pinyin(character, style=Style.FINALS, strict=True)[0][0]
    if final == "i" and pinyin(character, style=Style.INITIALS, strict=True)[0][0] in BUZZING:
        return "支"
    return RHYME_OF.get(final, final)


def form_figures(texts: Sequence[str]) -> dict[str, float]:
    """What of the form texts keep, and how varied they are.

    Returns:
        `form_kept`: the share of the texts in one of the four forms (`texts.poems.FORMS`); `rhyming`: the
        mean of `rhyming_share` over those with two or more couplets; `distinct_1`, `distinct_2`;
        `repetition`: the mean share of pairs of characters that stood in the same text before.

    Raises:
        ValueError: no text.
    """
    if not texts:
        raise ValueError("form_figures needs at least one text")
    shares = [share for share in map(rhyming_share, texts) if share is not None]
    return {
        "form_kept": sum(form_of(text) is not None for text in texts) / len(texts),
        "rhyming": sum(shares) / len(shares) if shares else 0.0,
        "distinct_1": distinct_n(texts, 1),
        "distinct_2": distinct_n(texts, 2),
        "repetition": sum(map(repetition, texts)) / len(texts),
    }
