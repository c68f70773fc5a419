"""Pairs of texts: how they become tokens, what is cut, which rows stay together, which layouts are read."""

import json

import pytest
from datasets import ClassLabel, Dataset
from own_rows import write
from transformers import AutoConfig

from course_lib.models.backbones import find_model, load_tokenizer
from course_lib.texts.batches import encode, tokenise
from course_lib.texts.corpora import load_corpus, load_split
from course_lib.texts.pair_layouts import sentences_of
from course_lib.texts.shape import fingerprint, renumber, split_pairs_by_hash
from course_lib.texts.tokenizers import train_characters

CHARACTERS = train_characters(["一二三四五六七八九十"], vocab_size=20, max_length=12)
PAIRS = [
    (f"第{number // 2}问：哪一个对？", f"{'对' if number % 2 else '错'}的{number}", number % 2)
    for number in range(80)
]


def pair(first: str, second: str) -> Dataset:
    return Dataset.from_dict({"text": [first], "text_pair": [second], "label": [0]})


# --- tokens -------------------------------------------------------------------------------------------


def test_token_types_tell_the_halves_apart_where_the_tokenizer_has_them():
    (row,) = encode(pair("一二", "三"), CHARACTERS)
    assert CHARACTERS.convert_ids_to_tokens(row["input_ids"]) == ["[CLS]", "一", "二", "[SEP]", "三", "[SEP]"]
    assert row["token_type_ids"] == [0, 0, 0, 0, 1, 1]


def test_separators_alone_do_where_it_has_none():
    """As XLM-R reads pairs, from which the course's backbone descends: <s> A </s> </s> B </s>."""
    tokenizer = e5_tokenizer()
    (row,) = encode(pair("一心一意", "专心"), tokenizer)
    assert set(row) == {"input_ids"}
    tokens = tokenizer.convert_ids_to_tokens(row["input_ids"])
    assert [tokens[0], tokens[-1]] == ["<s>", "</s>"] and tokens.count("</s>") == 3
    first = tokens.index("</s>")
    assert tokens[first + 1] == "</s>"
    assert row["input_ids"][: first + 1] == tokenizer("一心一意")["input_ids"]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("一二", "三四五六七八九十", ("一二", "三四五六七八九")),  # the longer half is cut, at its end
        ("三四五六七八九十一", "二", ("三四五六七八九十", "二")),
        ("一二三四五六七", "八九十一二三四", ("一二三四五", "八九十一")),
    ],
)
def test_the_longer_half_is_cut(first, second, kept):
    (row,) = encode(pair(first, second), CHARACTERS)
    assert len(row["input_ids"]) == 12
    tokens = CHARACTERS.convert_ids_to_tokens(row["input_ids"])
    middle = tokens.index("[SEP]")
    found = "".join(tokens[1:middle]), "".join(tokens[middle + 1 : -1])
    assert found == kept or found == ("一二三四", "八九十一二"), found  # of equals, either
    assert row["token_type_ids"] == [0] * (middle + 1) + [1] * (11 - middle)


def test_a_single_text_is_encoded_as_ever():
    (row,) = encode(Dataset.from_dict({"text": ["一二"]}), CHARACTERS)
    assert row == {"input_ids": CHARACTERS("一二")["input_ids"]}


def test_training_warns_where_pairs_are_cut():
    with pytest.warns(UserWarning, match="1 of 1 texts are longer than the 9 tokens"):
        (row,) = tokenise(pair("一" * 6, "二" * 6), CHARACTERS)
    assert row["labels"] == 0 and len(row["token_type_ids"]) == 12


# --- splits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [0, 1])
def test_what_recurs_stays_in_one_split(shared):
    """A question with its passages, or a passage with its questions: whichever has fewer different texts."""
    rows = [(f"甲{number // 4}", f"乙{number}", number % 2) for number in range(400)]
    rows = rows if shared == 0 else [(second, first, label) for first, second, label in rows]
    corpus = split_pairs_by_hash(rows, ClassLabel(names=["no", "yes"]))
    column = ("text", "text_pair")[shared]
    found = [set(part[column]) for part in corpus.values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 100
    assert sum(map(len, corpus.values())) == 400 and all(len(part) > 10 for part in corpus.values())


def test_the_fingerprint_knows_the_second_text():
    one, other = pair("一", "二"), pair("一", "三")
    assert fingerprint(one) != fingerprint(other) != fingerprint(other.remove_columns("text_pair"))


def test_renumbering_keeps_both_texts():
    rows = pair("一", "二").cast_column("label", ClassLabel(names=["no", "yes"]))
    found = renumber(rows, ["yes", "no"])
    assert found[0] == {"text": "一", "text_pair": "二", "label": 1}


# --- files --------------------------------------------------------------------------------------------


def the_pairs(corpus) -> set[tuple]:
    names = corpus["train"].features["label"].names
    return {
        (first, second, names[label])
        for rows in corpus.values()
        for first, second, label in zip(rows["text"], rows["text_pair"], rows["label"], strict=True)
    }


EXPECTED = {(first, second, str(label)) for first, second, label in PAIRS}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl"])
@pytest.mark.parametrize(
    "names", [("question", "passage"), ("text_a", "text_b"), ("Sentence1", "sentence2 ")]
)
def test_well_known_columns_are_found(tmp_path, suffix, names):
    path = tmp_path / f"pairs{suffix}"
    header = [*names, "label"]
    if suffix in (".csv", ".tsv"):
        write(path, header, PAIRS, separator="\t" if suffix == ".tsv" else ",")
    else:
        objects = [dict(zip(header, row, strict=True)) for row in PAIRS]
        lines = [json.dumps(each, ensure_ascii=False) for each in objects]
        path.write_text("\n".join(lines) if suffix == ".jsonl" else f"[{','.join(lines)}]", "utf-8")
    corpus = load_corpus(str(path))
    assert the_pairs(corpus) == EXPECTED
    assert corpus["train"].column_names == ["text", "text_pair", "label"]
    rows, total = load_split(str(path), "all")
    assert total == len(rows) == len(PAIRS)


def test_other_columns_are_named(tmp_path):
    path = write(tmp_path / "pairs.csv", ["ask", "reply", "right"], PAIRS)
    corpus = load_corpus(str(path), text="ask", text_pair="reply", label="right")
    assert the_pairs(corpus) == EXPECTED
    with pytest.raises(ValueError, match="no column 'replies'; .* did you mean --text-pair reply"):
        load_corpus(str(path), text="ask", text_pair="replies", label="right")


def test_one_column_alone_is_read_alone_if_it_is_asked_for(tmp_path):
    path = write(tmp_path / "pairs.csv", ["text_a", "text_b", "label"], PAIRS)
    corpus = load_corpus(str(path), text="text_b")
    assert corpus["train"].column_names == ["text", "label"]
    assert {text for rows in corpus.values() for text in rows["text"]} == {second for _, second, _ in PAIRS}


def test_a_column_text_beside_others_is_no_pair(tmp_path):
    rows = [(f"甲{number}", f"乙{number}", f"丙{number}", number % 2) for number in range(60)]
    path = write(tmp_path / "mine.csv", ["text", "question", "passage", "label"], rows)
    assert load_corpus(str(path))["train"].column_names == ["text", "label"]


def test_an_empty_second_text_is_named(tmp_path):
    rows = [*PAIRS[:3], ("问", " ", 1), *PAIRS[3:]]
    path = write(tmp_path / "pairs.csv", ["text_a", "text_b", "label"], rows)
    with pytest.raises(ValueError, match="row 4: the cell of column 'text_b' is empty"):
        load_corpus(str(path))


def test_rows_between_stray_quote_marks_are_missed_in_pairs_too(tmp_path):
    (tmp_path / "pairs.csv").write_text(
        'text_a,text_b,label\n一,"二,0\n三,四,1\n五,六",0\n七,八,1\n', encoding="utf-8"
    )
    with pytest.raises(ValueError, match="row 1 swallows the rows below it"):
        load_corpus(str(tmp_path / "pairs.csv"))


def test_a_file_without_names_is_told_how_to_get_them(tmp_path):
    """LCQMC as it is often handed on: two questions and 0 or 1, between tabs, no header."""
    lines = "".join(f"{first}\t{second}\t{label}\n" for first, second, label in PAIRS)
    (tmp_path / "lcqmc.tsv").write_text(lines, "utf-8")
    with pytest.raises(ValueError, match=r"put names over its columns: \(printf 'text_a\\ttext_b\\tlabel"):
        load_corpus(str(tmp_path / "lcqmc.tsv"))


def test_a_folder_of_pairs(tmp_path):
    for split, rows in (("train", PAIRS[:60]), ("dev", PAIRS[58:70]), ("test", PAIRS[70:])):
        write(tmp_path / "lcqmc" / f"{split}.tsv", ["text_a", "text_b", "label"], rows, separator="\t")
    with pytest.warns(UserWarning, match="2 of the 12 texts of the validation split stand in the training"):
        corpus = load_corpus(str(tmp_path / "lcqmc"))
    assert [len(corpus[split]) for split in corpus] == [60, 12, 10]
    assert corpus["test"]["text_pair"][0] == PAIRS[70][1]


# --- reading ------------------------------------------------------------------------------------------

CONTEXT = "长江全长六千多公里。它发源于青藏高原！流入东海。"
READING = [
    {
        "context": CONTEXT + f"第{number}段。",
        "question": "长江流入哪里？" if number % 2 else "长江有多长？",
        "answers": {"text": ["东海"], "answer_start": [CONTEXT.index("东海")]}
        if number % 2
        else {"text": ["六千多公里"], "answer_start": [4]},
    }
    for number in range(40)
]


def squad(path, layout: str):
    if layout == "rows":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in READING), "utf-8")
        return path
    asked = [
        {
            "context": row["context"],
            "qas": [
                {
                    "question": row["question"],
                    "answers": [
                        {"text": words, "answer_start": start}
                        for words, start in zip(*row["answers"].values(), strict=True)
                    ],
                }
            ],
        }
        for row in READING
    ]
    path.write_text(
        json.dumps({"data": [{"title": "长江", "paragraphs": asked}]}, ensure_ascii=False), "utf-8"
    )
    return path


@pytest.mark.parametrize("layout", ["rows", "nested"])
def test_reading_becomes_a_question_about_each_sentence(tmp_path, layout):
    corpus = load_corpus(str(squad(tmp_path / "squad.json", layout)))
    assert corpus["train"].features["label"].names == ["no answer", "answer"]
    found = the_pairs(corpus)
    assert ("长江流入哪里？", "流入东海。", "answer") in found
    assert ("长江流入哪里？", "它发源于青藏高原！", "no answer") in found
    assert ("长江有多长？", "长江全长六千多公里。", "answer") in found
    labels = [label for rows in corpus.values() for label in rows["label"]]
    assert len(labels) == 4 * 40 and sum(labels) == 40


def test_sentences_of_one_context_stay_in_one_split(tmp_path):
    corpus = load_corpus(str(squad(tmp_path / "squad.jsonl", "rows")))
    last = [{text for text in rows["text_pair"] if text.startswith("第")} for rows in corpus.values()]
    assert sum(map(len, last)) == len(set.union(*last)) == 40
    assert all(len(rows) % 4 == 0 for rows in corpus.values())


def test_unanswerable_questions_have_no_sentence(tmp_path):
    rows = [
        {**row, "answers": {"text": [], "answer_start": []}} if n < 10 else row
        for n, row in enumerate(READING)
    ]
    (tmp_path / "squad.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    corpus = load_corpus(str(tmp_path / "squad.jsonl"))
    assert sum(sum(rows["label"]) for rows in corpus.values()) == 30


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("东海", "row 1: answers must hold `text` and `answer_start`"),
        ({"text": ["黄海"], "answer_start": [3]}, "row 1: the answer '黄海' does not stand in its context"),
    ],
)
def test_bad_answers_are_named(tmp_path, answers, message):
    rows = [{**READING[0], "answers": answers}, *READING[1:]]
    (tmp_path / "squad.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with pytest.raises(ValueError, match=message):
        load_corpus(str(tmp_path / "squad.jsonl"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("一。二！三", ["一。", "二！", "三"]),
        ("他说：“好。”走了。", ["他说：“好。”", "走了。"]),
        ("It costs 3.5 pounds. He left.", ["It costs 3.5 pounds.", " He left."]),
        ("  \n ", []),
    ],
)
def test_sentences(text, parts):
    found = sentences_of(text)
    assert [sentence for _, sentence in found] == parts
    assert all(text[start : start + len(sentence)] == sentence for start, sentence in found)


def e5_tokenizer():
    folder = find_model("e5-small-cut")
    return load_tokenizer(folder, AutoConfig.from_pretrained(folder))
