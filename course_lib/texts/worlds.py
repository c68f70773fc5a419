"""Small worlds with a known difficulty: who has the ball after 1, 2, 3 or 4 passes?

Eight children pass one ball. Each gives it to one other child, and following the gifts visits all
eight before it comes back (the map is one cycle). A text tells where the ball is, how often it is
passed, and who passes to whom; the label is the child who has the ball at the end.

    小明拿着球，传2次。小明传给小红，小红传给小刚，…
    Tom has the ball. Pass it 2 times. Tom passes to Amy. Amy passes to Ben. …

Each pass is a look-up that needs the answer of the one before, so `steps` is the difficulty of a
text, known by construction and not guessed from a model. Nothing else gives it away: every text has
the same length, and every name stands once as giver and once as receiver whatever the answer is, so
counting words cannot solve the task.

Ids: a child is an id from 0 to 7 in both languages, and the id is the class: 小明 and Tom are 0.
"""

import random
import zlib
from dataclasses import dataclass
from itertools import permutations

from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFKC, Lowercase, Replace
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

NAMES = {
    "zh": ("小明", "小红", "小刚", "小丽", "小华", "小芳", "小军", "小美"),
    "en": ("Tom", "Amy", "Ben", "Sue", "Max", "Eva", "Leo", "Zoe"),
}
NUM_CHILDREN = len(NAMES["en"])
MAX_STEPS = 4
CLASS_NAMES = tuple(f"{en}/{zh}" for en, zh in zip(NAMES["en"], NAMES["zh"], strict=True))

# A phrase is one word of the vocabulary ("has_the_ball"), so a text has the same tokens at the same
# places in both languages: [CLS], 5 for the question, 3 for each rule, [SEP].
PHRASES = {
    "zh": ("拿着球", "传", "次", "传给"),
    "en": ("has the ball", "pass it", "time", "passes to"),
}
TEXT_TOKENS = 1 + 5 + 3 * NUM_CHILDREN + 1
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class World:
    """One question: `passes_to[i]` is the child to whom child i passes; `start` has the ball."""

    passes_to: tuple[int, ...]
    start: int
    steps: int

    def __post_init__(self):
        if sorted(self.passes_to) != list(range(NUM_CHILDREN)):
            raise ValueError(
                f"passes_to is {self.passes_to}: each child 0..{NUM_CHILDREN - 1} must receive once"
            )
        if self.start not in range(NUM_CHILDREN):
            raise ValueError(f"start is {self.start}: allowed are 0..{NUM_CHILDREN - 1}")
        if self.steps not in range(1, MAX_STEPS + 1):
            raise ValueError(f"steps is {self.steps}: allowed are 1..{MAX_STEPS}")
        # One cycle through everybody: with fewer than 8 passes the ball can't be back at the start.
        if len({follow(self, passes) for passes in range(NUM_CHILDREN)}) < NUM_CHILDREN:
            raise ValueError(f"passes_to is {self.passes_to}: the passes must form one single ring")


def follow(world: World, steps: int | None = None) -> int:
    """The child who has the ball after `steps` passes (default: as many as the world asks)."""
    steps = world.steps if steps is None else steps
    if steps < 0:
        raise ValueError(f"steps is {steps}: allowed are 0 and more")
    holder = world.start
    for _ in range(steps):
        holder = world.passes_to[holder]
    return holder


def ring_to_world(ring: list[int] | tuple[int, ...], start: int, steps: int) -> World:
    """The world in which the ball goes round in the order of `ring` (all child ids, once each)."""
    if sorted(ring) != list(range(NUM_CHILDREN)):
        raise ValueError(f"ring is {ring}: each child 0..{NUM_CHILDREN - 1} must stand in it once")
    receiver = dict(zip(ring, [*ring[1:], ring[0]], strict=True))
    return World(tuple(receiver[child] for child in range(NUM_CHILDREN)), start, steps)


def make_world(names: list[str], steps: int) -> World:
    """A world by hand: the first of the 8 `names` has the ball; it goes round in their order."""
    ring = []
    for name in names:
        ids = [NAMES[language].index(name) for language in NAMES if name in NAMES[language]]
        if not ids:
            raise ValueError(f"name is {name!r}: allowed are {NAMES['zh']} or {NAMES['en']}")
        ring += ids
    if len(ring) != NUM_CHILDREN:
        raise ValueError(f"there are {len(ring)} names: a world needs {NUM_CHILDREN}")
    return ring_to_world(ring, ring[0], steps)


def render(world: World, language: str) -> str:
    """The world as a text in "zh" or "en": the question, then the rules of child 0, 1, … 7.

    The order of the rules is fixed: a network can find a child's rule by its place in the text.
    """
    _check_languages((language,))
    name = NAMES[language]
    rules = [(name[giver], name[receiver]) for giver, receiver in enumerate(world.passes_to)]
    if language == "zh":
        question = f"{name[world.start]}拿着球，传{world.steps}次。"
        return question + "，".join(f"{giver}传给{receiver}" for giver, receiver in rules) + "。"
    times = "1 time" if world.steps == 1 else f"{world.steps} times"
    question = f"{name[world.start]} has the ball. Pass it {times}."
    return " ".join([question, *(f"{giver} passes to {receiver}." for giver, receiver in rules)])


def worlds(
    *,
    num_train: int = 32_000,
    num_validation: int = 1_600,
    num_test: int = 1_600,
    languages: tuple[str, ...] = ("zh", "en"),
    seed: int = 0,
) -> DatasetDict:
    """Draw the data set: columns text, label, steps, language and holders.

    label is the child (0..7) who has the ball after `steps` (1..4) passes; language is "zh" or
    "en". holders is the chain behind the label, 5 children: who has the ball after 0, 1, 2, 3, 4
    passes, where it stays after the last pass asked for. So holders[steps] is the label, and so is
    holders[4]. It can teach layer l + 1 of a network to say where the ball is after l passes.

    Steps and languages are equally frequent. A ring belongs to one split only, so a test text
    asks about passes that training never showed; within a split no question stands twice.
    """
    _check_languages(languages)
    rings = rings_by_split()
    sizes = {"train": num_train, "validation": num_validation, "test": num_test}
    splits = {}
    for split, size in sizes.items():
        most = MAX_STEPS * NUM_CHILDREN * len(rings[split])  # every ring, start and steps once
        if not MAX_STEPS <= size <= most:
            raise ValueError(f"num_{split} is {size}: allowed are {MAX_STEPS}..{most}")
        splits[split] = _draw(rings[split], size, languages, random.Random(f"{split}-{seed}"))
    return DatasetDict(splits)


def worlds_tokenizer() -> PreTrainedTokenizerFast:
    """A word-level tokenizer over the closed vocabulary of both languages.

    Spaces and punctuation separate words and are dropped; capitals and full-width digits don't
    matter, so a typed "tom passes to amy" or "传３次" works. Any other word becomes [UNK].
    """
    return closed_tokenizer(PHRASES, TEXT_TOKENS)


def closed_tokenizer(phrases: dict[str, tuple[str, ...]], tokens: int) -> PreTrainedTokenizerFast:
    """The same over the names, the numbers 1..MAX_STEPS and `phrases`, for texts of at most `tokens`."""
    words = [str(steps) for steps in range(1, MAX_STEPS + 1)]
    for language, names in NAMES.items():
        words += [word.lower().replace(" ", "_") for word in (*names, *phrases[language])]
    vocabulary = {word: i for i, word in enumerate((*SPECIAL_TOKENS, *words))}

    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    joined = [
        Replace(Regex(r"\b" + phrase.replace(" ", r"\s+") + r"\b"), phrase.replace(" ", "_"))
        for phrase in sorted(phrases["en"], key=len, reverse=True)
        if " " in phrase
    ]
    one_or_many = [
        Replace(Regex(rf"\b{many}\b"), one) for many, one in (("times", "time"), ("passes", "pass"))
    ]
    tokenizer.normalizer = Normalizers([NFKC(), Lowercase(), *joined, *one_or_many])
    # Chinese has no spaces: cut out the known words, the longer first (传给 before 传). An English
    # word is a whole run of letters, so that "tomorrow" is not "tom".
    chinese = sorted((*NAMES["zh"], *phrases["zh"]), key=len, reverse=True)
    tokenizer.pre_tokenizer = PreTokenizers(
        [
            Split(Regex("|".join(["[a-z_]+", "[0-9]+", *chinese])), behavior="isolated"),
            Split(Regex(r"[\s,.:;!?、。]+"), behavior="removed"),
        ]
    )
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=tokens,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def _check_languages(languages: tuple[str, ...]) -> None:
    if not languages or not set(languages) <= set(NAMES):
        raise ValueError(f"languages are {languages!r}: allowed are {tuple(NAMES)}")


def rings_by_split() -> dict[str, list[tuple[int, ...]]]:
    """All 5040 rings, each starting at child 0, dealt 8 : 1 : 1 by a hash of the ring itself.

    The seed has no say, so a ring of the test split is one under every seed.
    """
    rings = {"train": [], "validation": [], "test": []}
    for others in permutations(range(1, NUM_CHILDREN)):
        ring = (0, *others)
        bucket = zlib.crc32(bytes(ring)) % 10
        rings[{0: "test", 1: "validation"}.get(bucket, "train")].append(ring)
    return rings


def _draw(rings: list[tuple], size: int, languages: tuple[str, ...], rng: random.Random) -> Dataset:
    """`size` different questions over `rings`: steps 1, 2, 3, 4 and the languages in turn."""
    rows = []
    for steps in range(1, MAX_STEPS + 1):
        count = len(range(steps - 1, size, MAX_STEPS))
        for i, pick in enumerate(rng.sample(range(len(rings) * NUM_CHILDREN), count)):
            ring, start = divmod(pick, NUM_CHILDREN)
            world = ring_to_world(rings[ring], start, steps)
            language = languages[i % len(languages)]
            holders = [follow(world, min(passes, steps)) for passes in range(MAX_STEPS + 1)]
            rows.append((render(world, language), holders[-1], steps, language, holders))
    rng.shuffle(rows)
    features = Features(
        text=Value("string"),
        label=ClassLabel(names=list(CLASS_NAMES)),
        steps=Value("int32"),
        language=Value("string"),
        holders=List(Value("int32"), length=MAX_STEPS + 1),
    )
    columns = (list(column) for column in zip(*rows, strict=True))
    return Dataset.from_dict(dict(zip(features, columns, strict=True)), features)
