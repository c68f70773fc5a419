"""A deck that breaks a rule is refused, with the line and what is wrong."""

import pytest

from course_lib.decks.filled import fill
from course_lib.decks.source import DeckError, read_deck

HEAD = """```deck
technique = "fastbert"
date = "2023/07/24"
[outline."分类"]
en = "Classes"
sub = {"概述" = "Overview"}
[published]
many = {paper = "FastBERT (Liu", table = "Table 2"}
one = {paper = "DREX"}
```
"""
SLIDE = """
```slide
at = ["分类", "概述"]
minutes = 2
```

::: en
## A title
- a point
:::

::: zh
## 标题
- 一点
:::

::: notes-en
Say: so.

Ask: what?

Usual wrong answer: none.
:::

::: notes-zh
讲：如此。

问：什么？

常见的错误回答：没有。
:::
"""


@pytest.fixture
def read(tmp_path):
    def from_text(text: str):
        path = tmp_path / "deck.md"
        path.write_text(text, encoding="utf-8")
        return read_deck(path)

    return from_text


def test_a_slide_is_read_as_it_is_written(read):
    deck = read(HEAD + SLIDE)
    (slide,) = deck.slides
    assert slide.at == ("分类", "概述") and slide.minutes == 2 and slide.show is None
    assert slide.texts["zh"] == "标题\n- 一点"
    assert slide.notes["en"] == {"say": "so.", "ask": "what?", "wrong": "none."}
    english, chinese = (fill(deck, language).slides[0] for language in ("en", "zh"))
    assert english.over == "1 · Classes › Overview" and chinese.over == "1 · 分类 › 概述"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("::: zh\n## 标题\n- 一点\n:::", "", r"deck.md:12: this slide has no `::: zh`"),
        ("::: notes-en", "::: notes-fr", "outside of any slide"),
        ("## A title\n", "", "must begin with its title"),
        ("Ask: what?", "", r"no paragraph Ask:"),
        ("minutes = 2", "minutes = 0", "needs its minutes"),
        ("minutes = 2", "minute = 2", "unknown minute"),
        ("minutes = 2", "minutes = ", "not TOML"),
        ('"概述"]', '"别处"]', "'别处' is no sub-heading of '分类'"),
        ('["分类", "概述"]', '["别处"]', r"no heading of \[outline\]"),
        ("minutes = 2", 'minutes = 2\nshow = "figure 5"', 'write "fastbert figure 5"'),
        ("minutes = 2", 'minutes = 2\nkind = "poster"', "kind must be one of"),
        ("- a point", "- a point\n:::\n\nlost words\n\n::: en", "lost words"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_line(read, old, new, message):
    assert old in SLIDE
    with pytest.raises(DeckError, match=message):
        read(HEAD + SLIDE.replace(old, new))


def test_a_deck_begins_with_its_head(read):
    with pytest.raises(DeckError, match="deck.md:2: outside|begins with a ```deck"):
        read(SLIDE)
    with pytest.raises(DeckError, match="lacks date"):
        read(HEAD.replace('date = "2023/07/24"', "") + SLIDE)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{{reviews.frist}}", "unknown value 'reviews.frist'"),
        ("{{paper.two}}", r"\[published\] has no 'two'"),
        ("{{paper.many}}", r"fits \d+ rows"),
        ("{{reviews.first:.1q}}", "reviews.first"),
        ("{{finding}}", "unknown value 'finding'"),
    ],
)
def test_a_placeholder_that_cannot_be_filled_is_named(read, words, message):
    with pytest.raises(DeckError, match=message):
        fill(read(HEAD + SLIDE.replace("a point", words)), "en")


@pytest.mark.parametrize(
    ("show", "message"),
    [
        ("fastbert figure 14", "no figure 14 of 'fastbert'"),
        ("fastbert table 0", "no table 0 of 'fastbert'"),
        ("live dance reviews-e5", "no slider 'dance'"),
        ("live speed nowhere", "nowhere"),
    ],
)
def test_what_cannot_be_shown_is_named(read, show, message):
    with pytest.raises(DeckError, match=message):
        fill(read(HEAD + SLIDE.replace("minutes = 2", f'minutes = 2\nshow = "{show}"')), "en")


def test_a_published_value_and_its_formula(read):
    deck = read(
        HEAD.replace('paper = "DREX"', 'paper = "BitVoyage", setting = "speed=0.8"')
        + SLIDE.replace("a point", "{{paper.one:.3f}} at {{paper.one.speedup:.1f}}")
    )
    assert fill(deck, "en").slides[0].body == "- 0.916 at 7.5"
