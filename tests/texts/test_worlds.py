"""The ball-passing worlds: exact answers, fair splits, and no way round the chain of passes."""

from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import AutoTokenizer

from course_lib.texts.worlds import (
    CLASS_NAMES,
    MAX_STEPS,
    NAMES,
    NUM_CHILDREN,
    TEXT_TOKENS,
    World,
    follow,
    make_world,
    render,
    ring_to_world,
    worlds,
    worlds_tokenizer,
)

RULE = {"zh": "传给", "en": "passes_to"}


@pytest.fixture(scope="module")
def data():
    return worlds(num_train=8000, num_validation=800, num_test=1600, seed=3)


@pytest.fixture(scope="module")
def tokenizer():
    return worlds_tokenizer()


def read(row, tokenizer):
    """Read a text as a stranger would: (start id, steps, {giver id: receiver id})."""
    words = tokenizer.tokenize(row["text"])
    child = {name.lower(): i for names in NAMES.values() for i, name in enumerate(names)}
    rules = {
        child[words[i - 1]]: child[words[i + 1]]
        for i, word in enumerate(words)
        if word == RULE[row["language"]]
    }
    return child[words[0]], int(words[3]), rules


def test_the_label_is_what_the_text_says(data, tokenizer):
    """Checked by a matrix power, not by the library's loop."""
    for row in data["test"]:
        start, steps, rules = read(row, tokenizer)
        one_pass = np.zeros((NUM_CHILDREN, NUM_CHILDREN), dtype=int)
        one_pass[list(rules), list(rules.values())] = 1
        end = np.linalg.matrix_power(one_pass, steps)[start]
        assert steps == row["steps"]
        assert end.tolist() == np.eye(NUM_CHILDREN, dtype=int)[row["label"]].tolist()


def test_holders_are_the_chain_behind_the_label(data, tokenizer):
    for row in data["validation"]:
        start, steps, rules = read(row, tokenizer)
        holders = row["holders"]
        assert len(holders) == MAX_STEPS + 1
        assert holders[0] == start
        assert all(rules[holders[i]] == holders[i + 1] for i in range(steps))
        assert set(holders[steps:]) == {row["label"]}


def test_a_world_by_hand():
    ring = ["Tom", "Zoe", "Amy", "Ben", "Sue", "Max", "Eva", "Leo"]
    ends = [CLASS_NAMES[follow(make_world(ring, steps))] for steps in (1, 2, 3, 4)]
    assert ends == ["Zoe/小美", "Amy/小红", "Ben/小刚", "Sue/小丽"]
    world = make_world(ring, 1)
    assert [follow(world, passes) for passes in (0, 1, 2, 8)] == [0, 7, 1, 0]
    assert render(world, "en").startswith("Tom has the ball. Pass it 1 time. Tom passes to Zoe. ")
    assert render(world, "zh").startswith("小明拿着球，传1次。小明传给小美，小红传给小刚，")
    chinese = [NAMES["zh"][NAMES["en"].index(name)] for name in ring]
    assert make_world(chinese, 1) == world


def test_splits_share_no_text_and_no_ring(data, tokenizer):
    texts = {split: set(rows["text"]) for split, rows in data.items()}
    rings = {
        split: {tuple(sorted(read(row, tokenizer)[2].items())) for row in rows}
        for split, rows in data.items()
    }
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not texts[one] & texts[other]
        assert not rings[one] & rings[other]


def test_no_question_stands_twice_in_a_split(data, tokenizer):
    questions = [str(read(row, tokenizer)) for row in data["train"]]
    assert len(set(questions)) == len(questions) == 8000


def test_another_seed_keeps_the_test_rings_apart(data, tokenizer):
    """Otherwise a model trained under seed 0 could be tested on rings it knows under seed 3."""
    other = worlds(num_train=8000, num_validation=4, num_test=4, seed=4)["train"]
    trained = {tuple(sorted(read(row, tokenizer)[2].items())) for row in other}
    tested = {tuple(sorted(read(row, tokenizer)[2].items())) for row in data["test"]}
    assert not trained & tested


def test_steps_languages_and_labels_are_balanced(data):
    train = data["train"]
    assert Counter(train["steps"]) == {1: 2000, 2: 2000, 3: 2000, 4: 2000}
    assert set(Counter(zip(train["steps"], train["language"], strict=True)).values()) == {1000}
    for steps in range(1, MAX_STEPS + 1):
        labels = [row["label"] for row in train if row["steps"] == steps]
        shares = np.bincount(labels, minlength=NUM_CHILDREN) / len(labels)
        assert abs(shares - 1 / NUM_CHILDREN).max() < 0.03  # 4 standard errors


def test_same_seed_same_data_other_seed_other_data():
    size = {"num_train": 40, "num_validation": 8, "num_test": 8}
    first, again, other = worlds(**size), worlds(**size), worlds(**size, seed=1)
    assert first["train"].to_dict() == again["train"].to_dict()
    assert first["train"]["text"][:] != other["train"]["text"][:]


def test_one_language_alone():
    size = {"num_train": 40, "num_validation": 8, "num_test": 8}
    assert set(worlds(**size, languages=("zh",))["train"]["language"]) == {"zh"}


def test_counting_words_stays_near_chance(data):
    """The start is never the answer, so blind guessing scores 1/7."""
    for language in NAMES:
        train = data["train"].filter(lambda row, language=language: row["language"] == language)
        test = data["test"].filter(lambda row, language=language: row["language"] == language)
        words = TfidfVectorizer(tokenizer=worlds_tokenizer().tokenize, token_pattern=None)
        model = LogisticRegression(max_iter=300)
        model.fit(words.fit_transform(train["text"]), train["label"])
        accuracy = model.score(words.transform(test["text"]), test["label"])
        assert accuracy < 1 / (NUM_CHILDREN - 1) + 0.05


def test_no_place_in_the_text_holds_the_answer(data, tokenizer):
    child = {name.lower(): i for names in NAMES.values() for i, name in enumerate(names)}
    words = [tokenizer.tokenize(text) for text in data["train"]["text"]]
    labels = np.array(data["train"]["label"])
    for place in range(TEXT_TOKENS - 2):
        here = np.array([child.get(row[place], -1) for row in words])
        assert (here == labels).mean() < 1 / (NUM_CHILDREN - 1) + 0.03


def test_every_text_has_the_same_length_and_no_unknown_word(data, tokenizer):
    for rows in data.values():
        ids = np.array(tokenizer(rows["text"][:])["input_ids"])
        assert ids.shape == (len(rows), TEXT_TOKENS)
        assert tokenizer.unk_token_id not in ids


def test_both_languages_have_the_same_words_at_the_same_places(tokenizer):
    world = ring_to_world([0, 3, 1, 5, 2, 7, 4, 6], start=5, steps=3)
    zh, en = (tokenizer(render(world, language))["input_ids"] for language in ("zh", "en"))
    translation = dict(zip(zh, en, strict=True))
    assert [translation[i] for i in zh] == en
    assert len(set(translation.values())) == len(translation)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("小明传给小红。", ["小明", "传给", "小红"]),
        ("Tom passes to Amy.", ["tom", "passes_to", "amy"]),
        ("  TOM passes\n to amy ", ["tom", "passes_to", "amy"]),
        ("小红拿着球，传３次！", ["小红", "拿着球", "传", "3", "次"]),
        ("Pass it 1 time, 2 times", ["pass_it", "1", "time", "2", "time"]),
        ("小强传给tomorrow", ["[UNK]", "传给", "[UNK]"]),
    ],
)
def test_typed_sentences(tokenizer, text, words):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["[CLS]", *words, "[SEP]"]


def test_the_tokenizer_survives_saving(tokenizer, data, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    texts = data["test"]["text"][:50] + ["小强", "Tom?"]
    assert again(texts)["input_ids"] == tokenizer(texts)["input_ids"]
    assert again.pad_token_id == 0
    assert again.mask_token == "[MASK]"


IDS = tuple(range(NUM_CHILDREN))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ring_to_world(IDS, 0, 5), r"steps is 5: allowed are 1\.\.4"),
        (lambda: ring_to_world(IDS, 0, 0), r"steps is 0: allowed are 1\.\.4"),
        (lambda: follow(ring_to_world(IDS, 0, 1), -1), "steps is -1: allowed are 0 and more"),
        (lambda: ring_to_world(IDS, 8, 1), r"start is 8: allowed are 0\.\.7"),
        (lambda: ring_to_world((0, 1, 2), 0, 1), r"ring is \(0, 1, 2\)"),
        (lambda: World((1, 0, 3, 2, 5, 6, 7, 4), 0, 1), "one single ring"),
        (lambda: World((1,) * 8, 0, 1), "must receive once"),
        (lambda: make_world(["Tom", "Amy"], 1), "2 names: a world needs 8"),
        (lambda: make_world(["Bob"] * 8, 1), "'Bob': allowed are"),
        (lambda: render(ring_to_world(IDS, 0, 1), "fr"), "'fr'"),
        (lambda: worlds(languages=()), "languages are"),
        (lambda: worlds(num_train=3), r"num_train is 3: allowed are 4\.\.\d+"),
        (lambda: worlds(num_test=10**6), r"num_test is 1000000: allowed are 4\.\.\d+"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
