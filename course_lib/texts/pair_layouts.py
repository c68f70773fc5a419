"""Files of question and passage, in the layouts that are about: pairs with a label, and reading with answers.

Pairs: two columns of text and a label, under names that well-known data sets use (LCQMC: text_a, text_b;
GLUE: sentence1, sentence2; question, passage; …). Reading (SQuAD, CMRC 2018): a context, a question, and
where in the context its answers begin. A classifier cannot point at a place, so the question becomes one that
it can answer: *does this sentence of the context hold the answer?* One pair for each sentence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from course_lib.texts.columns import find_column

PAIRS = (  # what the two columns of texts are called, the first found is taken
    ("text", "text_pair"),
    ("question", "passage"),
    ("text_a", "text_b"),
    ("sentence1", "sentence2"),
    ("question1", "question2"),
    ("premise", "hypothesis"),
    ("question", "sentence"),
    ("question", "answer"),
    ("query", "passage"),
    ("query", "title"),
)
READING = ("context", "question", "answers")
HOLDS = ("no answer", "answer")  # the classes of a sentence, by their numbers
SENTENCE = re.compile(r".+?(?:[。！？!?；;]+[”’」』\"]*|\.(?=\s|$)|\n|$)", re.DOTALL)


class Reading(NamedTuple):
    """Pairs out of a reading task: question, sentence, class; and the context that each sentence is from."""

    questions: list[str]
    sentences: list[str]
    labels: list[str]
    contexts: list[str]


def pair_columns(names: Iterable[str]) -> tuple[str, str] | None:
    """The two columns of a known layout; None where there is none, or a column `text` stands alone."""
    names = list(names)
    for first, second in PAIRS:
        found = find_column(names, first), find_column(names, second)
        if None not in found:
            return found
        if first == "text" and found[0] is not None:
            return None
    return None


def is_reading(names: Iterable[str]) -> bool:
    """Whether these are the columns of a reading task."""
    names = list(names)
    return all(find_column(names, each) is not None for each in READING)


def sentences_of(context: str) -> list[tuple[int, str]]:
    """Where each sentence begins, and the sentence; those of blanks alone are left out."""
    return [(found.start(), found.group()) for found in SENTENCE.finditer(context) if found.group().strip()]


def reading(columns: Mapping[str, Sequence], origin: str) -> Reading:
    """One pair for each sentence of each context: does it hold the beginning of an answer?

    Raises:
        ValueError: an answer is no object with `text` and `answer_start`, or does not stand where it says.
    """
    context, question, answers = (columns[find_column(columns, name)] for name in READING)
    found = Reading([], [], [], [])
    for number, (text, asked, given) in enumerate(zip(context, question, answers, strict=True), start=1):
        starts = [
            _start(text, words, start, origin, number) for words, start in _answers(given, origin, number)
        ]
        parts = sentences_of(text)
        for begin, sentence in parts:
            holds = any(begin <= start < begin + len(sentence) for start in starts)
            found.questions.append(asked)
            found.sentences.append(sentence.strip())
            found.labels.append(HOLDS[holds])
            found.contexts.append(text)
    return found


def flattened(paragraphs: object) -> list[dict] | None:
    """The nested file of SQuAD and CMRC ({"data": [{"paragraphs": [{"context", "qas"}]}]}) as plain rows."""
    if not (isinstance(paragraphs, dict) and isinstance(paragraphs.get("data"), list)):
        return None
    try:
        return [
            {
                "context": paragraph["context"],
                "question": asked["question"],
                "answers": asked.get("answers", []),
            }
            for article in paragraphs["data"]
            for paragraph in article["paragraphs"]
            for asked in paragraph["qas"]
        ]
    except (KeyError, TypeError):
        return None


def _answers(given: object, origin: str, number: int) -> Iterator[tuple[str, int]]:
    """(words, start) of each: from {"text": […], "answer_start": […]}, or [{"text", "answer_start"}, …]."""
    try:
        if isinstance(given, dict):
            yield from zip(given["text"], given["answer_start"], strict=True)
        else:
            yield from ((each["text"], each["answer_start"]) for each in given)
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{origin}, row {number}: answers must hold `text` and `answer_start`, as SQuAD writes them, not "
            f"{str(given)[:60]!r}"
        ) from None


def _start(context: str, words: str, start: int, origin: str, number: int) -> int:
    """Where the answer begins; data sets are out by a few characters here and there."""
    if context[start : start + len(words)] == words:
        return start
    places = [found.start() for found in re.finditer(re.escape(words), context)]
    if not places:
        raise ValueError(f"{origin}, row {number}: the answer {words[:30]!r} does not stand in its context")
    return min(places, key=lambda place: abs(place - start))
