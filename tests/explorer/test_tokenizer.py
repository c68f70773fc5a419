"""The page's tokenizer against the fast Hugging Face one, on 10,000 texts."""

import random
import unicodedata

import pytest

from course_lib.explorer.networks import PLAIN, WORLDS
from course_lib.models.checkpoints import load_fastbert
from course_lib.paths import CHECKPOINTS
from course_lib.texts.reviews import newspaper, reviews
from course_lib.texts.worlds import worlds

NASTY = [
    "",
    " ",
    "\n\t\r\n",
    "a",
    "。",
    "[CLS]",
    "[MASK]好[SEP]",
    "[mask] [ MASK ] [[UNK]]",
    "ＡＢＣ　１２３",
    "ΣΑΣ ΟΔΟΣ İstanbul ß ﬁ ǅ",
    "e\u0301 é \u1e9b\u0323 ㍿ ㎏ ½ ①②",
    "👩‍👩‍👧‍👦👍🏽🇨🇳 emoji 😀😀",
    "\ufeff零宽\u200b空格\u200d与\u2060连接",
    "\x85\x0b\x0c\x1c\x1f\u2028\u2029\u180e\u3000",
    "\x00\x01\x7f",
    "𠮷野家 𝒜𝓑 𐍈",
    "العربية עברית हिन्दी ไทย 한국어 ぁｱ",
    "ÀÉ" * 100,
    "好" * 5000,
    "很好，" * 3000,
    "word " * 2000,
    "\U000e0041\U0010ffff\ue000",
    "㋿ 🅬 \U0001fbf8 \ua7f2 ꭩ",
    "https://例子.cn/?a=1&b=2#x <b>粗</b> $€¥ ^_~`|",
]


def odd_text(rng: random.Random) -> str:
    """Characters from everywhere in Unicode that every version of the last years knows, no surrogates."""
    found = []
    for _ in range(rng.randrange(1, 40)):
        code = rng.choice((rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x20000)))
        character = chr(code)
        # What Python's tables do not know may be newer for one of the two than for the other.
        if unicodedata.category(character) not in ("Cs", "Cn"):
            found.append(character)
    return "".join(found)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = random.Random(0)
    found = list(NASTY)
    found += [*reviews()["test"]["text"], *reviews()["train"]["text"][:2246]]
    found += newspaper()["text"][:2000]
    found += worlds(num_train=4, num_validation=4, num_test=1000)["test"]["text"]
    found += [odd_text(rng) for _ in range(2000)]
    while len(found) < 10_000:  # what people type: pieces of texts, put together
        left, right = rng.choice(found), rng.choice(found)
        between = rng.choice(["", " ", "!", "😀", "[UNK]"])
        found.append(left[: rng.randrange(60)] + between + right[-rng.randrange(60) :])
    assert len(found) == 10_000
    return found


@pytest.mark.parametrize("name", [PLAIN, WORLDS[0]])
def test_ids_are_those_of_the_fast_tokenizer(node, texts, name):
    _, tokenizer = load_fastbert(name)
    expected = tokenizer(texts, truncation=True)["input_ids"]
    path = CHECKPOINTS / name / "tokenizer.json"
    found = node({"task": "tokenize", "tokenizer": str(path), "texts": texts})
    differ = [(text[:80], a, b) for text, a, b in zip(texts, expected, found, strict=True) if a != b]
    assert not differ, f"{len(differ)} differ; the first: {differ[0]}"
