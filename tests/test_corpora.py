"""Corpora: clean, apart from each other, the same for ever, and bad files refused."""

import json

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from course_lib.corpora import (
    canonical,
    class_names,
    fingerprint,
    from_files,
    from_hub,
    newspaper,
    reviews,
    split_of,
)
from course_lib.paths import RUNS

REVIEWS = "abcabe05ffa13b74be11af5c2c8951e632bbdd4aa447e533c20a6bbece479018"


def test_reviews_are_those_of_the_run_records():
    """Every shipped figure holds for these texts, in this order, with these labels."""
    assert fingerprint(reviews()) == REVIEWS
    assert json.loads((RUNS / "reviews-tfidf.json").read_text())["data"] == REVIEWS


def test_reviews_hold_no_text_twice():
    keys = [canonical(text) for split in reviews().values() for text in split["text"]]
    assert len(keys) == len(set(keys)) > 17_000
    assert all(text and text == "".join(text.split()) for text in reviews()["test"]["text"])


def test_reviews_are_split_80_10_10_by_the_text_alone():
    corpus = reviews()
    total = sum(len(split) for split in corpus.values())
    assert len(corpus["train"]) / total == pytest.approx(0.8, abs=0.01)
    assert len(corpus["test"]) / total == pytest.approx(0.1, abs=0.01)
    for split in corpus:
        assert {split_of(text) for text in corpus[split]["text"][:300]} == {split}
        share = sum(corpus[split]["label"]) / len(corpus[split])
        assert 0.4 < share < 0.6, "both classes about equally often"
    assert class_names(corpus) == ["negative", "positive"]


def test_fingerprint_notices_any_change():
    rows = {"text": ["a", "b"], "label": [0, 1]}
    one = fingerprint(Dataset.from_dict(rows))
    assert fingerprint(Dataset.from_dict(rows)) == one
    for changed in ({"text": ["a", "c"]}, {"label": [1, 1]}, {"text": ["b", "a"]}):
        assert fingerprint(Dataset.from_dict(rows | changed)) != one


def test_newspaper_has_no_tags():
    texts = newspaper()["text"]
    assert len(texts) > 15_000 and len(set(texts)) == len(texts)
    assert not any("/n" in text or "/v" in text for text in texts[:3000])


ROWS = [{"review": f"第{number}个", "stars": "good" if number % 2 else "bad"} for number in range(200)]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_files_of_your_own(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    rows = Dataset.from_list(ROWS)
    writer = {".csv": rows.to_csv, ".jsonl": rows.to_json, ".parquet": rows.to_parquet}[suffix]
    writer(str(path), **({"force_ascii": False} if suffix == ".jsonl" else {}))
    corpus = from_files(path, text="review", label="stars")
    assert sorted(class_names(corpus)) == ["bad", "good"]
    found = {
        text: class_names(corpus)[label]
        for split in corpus.values()
        for text, label in zip(split["text"], split["label"], strict=True)
    }
    assert found == {row["review"]: row["stars"] for row in ROWS}


def test_bad_files(tmp_path):
    def file(name: str, content: bytes):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    with pytest.raises(FileNotFoundError, match="no file"):
        from_files(tmp_path / "none.csv")
    with pytest.raises(ValueError, match=r"unknown suffix '.xlsx'"):
        from_files(file("a.xlsx", b"x"))
    with pytest.raises(ValueError, match="is empty"):
        from_files(file("b.csv", b""))
    with pytest.raises(ValueError, match="iconv -f GB18030"):
        from_files(file("c.csv", "text,label\n好,1\n坏,0\n".encode("gb18030")))
    with pytest.raises(ValueError, match="no column 'label'; it has: text, stars"):
        from_files(file("d.csv", b"text,stars\nx,1\n"))
    with pytest.raises(ValueError, match="one class only"):
        from_files(file("e.csv", b"text,label\nx,1\ny,1\n"))
    with pytest.raises(ValueError, match="no rows"):
        from_files(file("f.csv", b"text,label\n"))


def test_a_hub_data_set_from_a_local_folder(tmp_path):
    """A folder in the hub's layout goes through the same code as a name on the hub."""
    for split in ("train", "test"):
        Dataset.from_list(ROWS).to_csv(str(tmp_path / f"{split}.csv"))
    corpus = from_hub(str(tmp_path), text="review", label="stars")
    assert isinstance(corpus, DatasetDict) and set(corpus) == {"train", "validation", "test"}
    assert len(corpus["test"]) == len(ROWS), "a split that the data set brings is kept whole"
    assert 0 < len(corpus["validation"]) < len(corpus["train"])


def test_a_tenth_goes_back_to_train_where_its_split_is_brought(tmp_path):
    """Only validation is missing: the texts that the hash would put into test must not vanish."""
    for split in ("train", "test"):
        Dataset.from_list(ROWS).to_csv(str(tmp_path / f"{split}.csv"))
    corpus = from_hub(str(tmp_path), text="review", label="stars")
    cut = [*corpus["train"]["text"], *corpus["validation"]["text"]]
    assert sorted(cut) == sorted(row["review"] for row in ROWS)
    assert {split_of(text) for text in corpus["validation"]["text"]} == {"validation"}


def folder_of_splits(folder, **labels: str):
    """A data set in the hub's layout whose splits hold ten rows of each of their labels."""
    for split, names in labels.items():
        lines = [f"{split}{name}{number},{name}" for name in names for number in range(10)]
        (folder / f"{split}.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return str(folder)


def test_all_splits_of_a_hub_data_set_number_their_classes_alike(tmp_path):
    """Validation brings two of three classes, and test only one: "b" is 1 everywhere."""
    corpus = from_hub(folder_of_splits(tmp_path, train="abc", validation="cb", test="b"))
    for split, rows in corpus.items():
        assert rows.features["label"].names == ["a", "b", "c"]
        named = [class_names(corpus)[label] for label in rows["label"]]
        assert named == [text.removeprefix(split)[0] for text in rows["text"]]


def test_labels_that_train_does_not_have(tmp_path):
    with pytest.raises(ValueError, match=r"\(test\) has labels .* unknown labels: d, e; known: a, b"):
        from_hub(folder_of_splits(tmp_path, train="ab", test="ade"))


MANY = "".join(f"第{number}个,{number % 2}\n" for number in range(100))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.csv", f"text,label\n{MANY},1\n", "row 101: the cell of column 'text' is empty"),
        ("blank.csv", f"text,label\n  ,1\n{MANY}", "row 1: the cell of column 'text' is empty"),
        ("label.csv", f"text,label\n好,1\n坏,\n{MANY}", "row 2: the cell of column 'label' is empty"),
        ("label.jsonl", '{"text": "a", "label": "x"}\n{"text": "b"}\n', "row 2: the cell of column 'label'"),
        ("broken.jsonl", '{"text": "a", "label": 1}\n{"text": \n', "no rows that can be read"),
        ("columns.csv", f"text,label\n{MANY}a,b,c,d\n", "no rows that can be read .*Expected 2 fields"),
        ("list.jsonl", '{"text": ["a"], "label": 1}\n', "column 'text' must hold words"),
        ("few.csv", "text,label\na,1\nb,0\nc,1\nd,0\n", "4 rows are too few"),
    ],
)
def test_files_with_bad_rows(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(ValueError, match=message):
        from_files(tmp_path / name)


def test_labels_that_the_hub_keeps_secret(tmp_path):
    features = Features(text=Value("string"), label=ClassLabel(names=["a", "b"]))
    Dataset.from_dict({"text": ["x", "y"], "label": [0, -1]}, features).to_parquet(
        str(tmp_path / "p.parquet")
    )
    with pytest.raises(ValueError, match="row 2: the cell of column 'label' is empty"):
        from_files(tmp_path / "p.parquet")


def test_numbers_and_na_are_texts(tmp_path):
    lines = "".join(f"{number},{number % 2}\n" for number in range(100))
    (tmp_path / "numbers.csv").write_text(f"text,label\n{lines}")
    assert set(from_files(tmp_path / "numbers.csv")["train"]["text"]) <= {
        str(number) for number in range(100)
    }
    (tmp_path / "na.csv").write_text(f"text,label\n{MANY}NA,1\n", "utf-8")
    assert "NA" in [text for split in from_files(tmp_path / "na.csv").values() for text in split["text"]]
