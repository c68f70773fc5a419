"""The worlds as questions in sentences: a question and a story, two texts, and what was never trained.

Eight children pass one ball round a ring (see `worlds.py`). The story tells who passes to whom, in random
order, among sentences that have nothing to do with the ball; the question asks in one of four kinds:

    after   小明拿着球。传2次以后球在谁那里？            Tom has the ball. Who has it after 2 passes?
    before  小明拿着球。传2次以前球在谁那里？            Tom has the ball. Who had it before 2 passes?
    twice   小明拿着球。传2次以后再传1次以后球在谁那里？   … Who has it after 2 passes and then after 1 pass?
    back    小明拿着球。传2次以后再传1次以前球在谁那里？   … Who had it after 2 passes and then before 1 pass?

The steps are all the passes that must be followed, forwards or backwards. Three splits hold what training
does not, while all their words are known from it:

    new_kind    back, of up to 4 steps. Training asks the first three kinds only.
    more_steps  twice, of 5 to 7 steps. Training asks for up to 4.
    longer      stories with 5 to 8 idle sentences. Training has up to 2, so places far back are new, too.
"""

import random

from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from transformers import PreTrainedTokenizerFast

from course_lib.texts.worlds import (
    CLASS_NAMES,
    MAX_STEPS,
    NAMES,
    NUM_CHILDREN,
    closed_tokenizer,
    rings_by_split,
)

KINDS = ("after", "before", "twice", "back")
TRAINED_KINDS = KINDS[:3]
MOST_STEPS = 7  # with eight children, one more would be the start again
IDLE = {"zh": "看见", "en": "sees"}
PHRASES = {
    "zh": ("拿着球", "次以后", "次以前", "再", "球在谁那里", "传给", "传", IDLE["zh"]),
    "en": (
        "has the ball",
        "who has it",
        "who had it",
        "after",
        "before",
        "and then",
        "pass",
        "passes to",
        IDLE["en"],
    ),
}
IDLE_TRAINED, IDLE_LONGER = (0, 2), (5, 8)  # idle sentences in a story, from .. to
TEXT_TOKENS = 3 + 10 + 3 * (NUM_CHILDREN + IDLE_LONGER[1])
SIZES = {"train": 32_000, "validation": 1_600, "test": 1_600}


def world_questions(*, languages: tuple[str, ...] = ("zh", "en"), seed: int = 0) -> DatasetDict:
    """Training, validation and test: kinds, numbers of steps and languages in turn.

    Columns: text (the question), text_pair (the story), label (the child), steps, kind, language, and holders
    (the children that are passed through, from the start; the last one repeated), [MOST_STEPS + 1].
    """
    asked = [(kind, steps) for kind in TRAINED_KINDS for steps in range(1, MAX_STEPS + 1)]
    asked = [each for each in asked if each != ("twice", 1)]
    return DatasetDict(
        {split: _draw(split, size, asked, IDLE_TRAINED, languages, seed) for split, size in SIZES.items()}
    )


def world_generalisation(
    *, languages: tuple[str, ...] = ("zh", "en"), seed: int = 0, size: int = 1_600
) -> DatasetDict:
    """What training does not have, one split each: new_kind, more_steps, longer; on rings of the test."""
    trained = [("after", steps) for steps in range(1, MAX_STEPS + 1)]
    asked = {
        "new_kind": ([("back", steps) for steps in range(2, MAX_STEPS + 1)], IDLE_TRAINED),
        "more_steps": ([("twice", steps) for steps in range(MAX_STEPS + 1, MOST_STEPS + 1)], IDLE_TRAINED),
        "longer": (trained, IDLE_LONGER),
    }
    return DatasetDict(
        {name: _draw("test", size, *each, languages, f"{name}-{seed}") for name, each in asked.items()}
    )


def world_questions_tokenizer() -> PreTrainedTokenizerFast:
    """A word-level tokenizer over the closed vocabulary; pairs have token types."""
    return closed_tokenizer(PHRASES, TEXT_TOKENS)


def question(kind: str, start: int, parts: tuple[int, int], language: str) -> str:
    """The sentence that asks; `parts` are the passes of its first and second half (0 where there is none)."""
    first, second = parts
    name = NAMES[language][start]
    back = {"before": (True, False), "back": (False, True)}.get(kind, (False, False))
    if language == "zh":
        words = [
            f"传{number}次{'以前' if ago else '以后'}"
            for number, ago in zip(parts, back, strict=True)
            if number
        ]
        return f"{name}拿着球。{'再'.join(words)}球在谁那里？"
    words = [
        f"{'before' if ago else 'after'} {number} {'pass' if number == 1 else 'passes'}"
        for number, ago in zip(parts, back, strict=True)
        if number
    ]
    asks = "had" if any(back) else "has"
    return f"{name} has the ball. Who {asks} it {' and then '.join(words)}?"


def _draw(split: str, size: int, asked, idle: tuple[int, int], languages, seed) -> Dataset:
    """`size` questions about rings of one split, the (kind, steps) of `asked` and the languages in turn."""
    draw, rings = random.Random(f"{split}-{seed}"), rings_by_split()[split]
    rows = []
    for number in range(size):
        kind, steps = asked[number % len(asked)]
        language = languages[number // len(asked) % len(languages)]
        ring, place = draw.choice(rings), draw.randrange(NUM_CHILDREN)
        first = (
            draw.randint(max(1, steps - MAX_STEPS), min(MAX_STEPS, steps - 1)) if kind in KINDS[2:] else steps
        )
        parts = (first, steps - first)
        ways = [-1 if kind == "before" else 1] * first + [-1 if kind == "back" else 1] * (steps - first)
        holders = [ring[place]]
        for way in ways:
            place = (place + way) % NUM_CHILDREN
            holders.append(ring[place])
        label = holders[-1]
        holders += [label] * (MOST_STEPS + 1 - len(holders))
        story = _story(ring, draw.randint(*idle), language, draw)
        rows.append(
            (question(kind, holders[0], parts, language), story, label, steps, kind, language, holders)
        )
    draw.shuffle(rows)
    features = Features(
        text=Value("string"),
        text_pair=Value("string"),
        label=ClassLabel(names=list(CLASS_NAMES)),
        steps=Value("int32"),
        kind=Value("string"),
        language=Value("string"),
        holders=List(Value("int32"), length=MOST_STEPS + 1),
    )
    columns = (list(column) for column in zip(*rows, strict=True))
    return Dataset.from_dict(dict(zip(features, columns, strict=True)), features)


def _story(ring: tuple[int, ...], idle: int, language: str, draw: random.Random) -> str:
    """Who passes to whom, and `idle` sentences in which somebody sees somebody, in random order."""
    name = NAMES[language]
    passes, sees = ("传给", IDLE["zh"]) if language == "zh" else (" passes to ", f" {IDLE['en']} ")
    receiver = dict(zip(ring, [*ring[1:], ring[0]], strict=True))
    sentences = [f"{name[giver]}{passes}{name[receiver[giver]]}" for giver in range(NUM_CHILDREN)]
    for _ in range(idle):
        one, other = draw.sample(range(NUM_CHILDREN), 2)
        sentences.append(f"{name[one]}{sees}{name[other]}")
    draw.shuffle(sentences)
    return "，".join(sentences) + "。" if language == "zh" else ". ".join(sentences) + "."
