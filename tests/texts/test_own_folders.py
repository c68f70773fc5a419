"""Folders of your own: each file goes to its split, whatever columns the others have."""

import json
import shutil
import warnings

import pytest
from own_rows import ROWS, write

from course_lib.texts.own_folders import files_by_split
from course_lib.texts.own_texts import from_hub

COLUMNS = ["text", "label"]


def rows_of(split: str, size: int = 60) -> list[tuple]:
    return [(f"{split}{text}", label) for text, label in ROWS[:size]]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train.csv", "dev.csv", "test.csv"], ["train", "validation", "test"]),
        (["Train.CSV", "valid.tsv", "eval.jsonl"], ["train", "validation", "test"]),
        (["训练集.csv", "验证集.csv", "测试集.csv"], ["train", "validation", "test"]),
        (["data/train-00000-of-00001.csv", "data/test-00000-of-00001.csv"], ["train", "test"]),
        (["train/a.csv", "test/a.csv"], ["train", "test"]),
        (["my_train.csv", "labels.json", "test1.0.csv"], ["train", "test"]),
        (["latest.csv"], ["train"]),
        (["reviews.csv", ".hidden.csv", "~$reviews.csv", "notes.md"], ["train"]),
    ],
)
def test_the_names_of_files_tell_their_split(tmp_path, names, expected):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = files_by_split(tmp_path, COLUMNS)
    assert set(found) == set(expected)
    assert all(len(files) == 1 for files in found.values())


@pytest.mark.parametrize("names", [["train.csv", "train.jsonl"], ["a/train.csv", "b/train.csv"]])
def test_a_split_that_is_there_twice_is_refused(tmp_path, names):
    for name in names:
        write(tmp_path / name, COLUMNS, ROWS)
    with pytest.raises(ValueError, match="the train split in several ways"):
        from_hub(str(tmp_path))


@pytest.mark.parametrize("folder", ["plain", "[2024] data", "a::b"])
def test_brackets_in_the_name_of_a_folder(tmp_path, folder):
    for split in ("train", "dev", "test"):
        write(tmp_path / folder / f"{split}.csv", COLUMNS, rows_of(split))
    corpus = from_hub(str(tmp_path / folder))
    assert {split: rows["text"][0][:4] for split, rows in corpus.items()} == {
        "train": "trai",
        "validation": "dev" + ROWS[0][0][0],
        "test": "test",
    }


def write_split(path, split: str, columns: list[str]):
    """As GLUE (tabs) or CLUE (JSON lines) have it: an index, and no labels in a secret split."""
    rows = [
        {"sentence": text, "label": label, "index": number, "keywords": ""}
        for number, (text, label) in enumerate(rows_of(split))
    ]
    rows = [{column: row[column] for column in columns} for row in rows]
    if path.suffix == ".tsv":
        return write(path, columns, [tuple(row.values()) for row in rows], separator="\t")
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


@pytest.mark.parametrize("card", [False, True], ids=["files only", "with a data card"])
@pytest.mark.parametrize("suffix", [".tsv", ".json"])
@pytest.mark.parametrize("secret", ["test", "dev"])
def test_a_split_without_a_label_column_is_secret(tmp_path, suffix, secret, card):
    for split in ("train", "dev", "test"):
        columns = ["index", "sentence"] if split == secret else ["sentence", "label", "keywords"]
        write_split(tmp_path / f"{split}{suffix}", split, columns)
    if card:
        (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    name = {"dev": "validation"}.get(secret, secret)
    with pytest.warns(UserWarning, match=f"the {name} split keeps all its labels secret") as warned:
        corpus = from_hub(str(tmp_path), text="sentence")
    ours = [each for each in warned if str(tmp_path) in str(each.message)]
    assert len(ours) == 1 and ours[0].filename == __file__
    assert 0 < len(corpus[name]) < 60 and all(text.startswith("train") for text in corpus[name]["text"])
    other = "validation" if name == "test" else "test"
    assert len(corpus[other]) == 60


@pytest.mark.parametrize("label", ["-1", ""])
def test_a_csv_of_minus_ones_is_secret_too(tmp_path, label):
    write(tmp_path / "train.csv", COLUMNS, ROWS)
    write(tmp_path / "test.csv", COLUMNS, [(text, label) for text, _ in rows_of("test")])
    with pytest.warns(UserWarning, match="the test split keeps all its labels secret"):
        assert len(from_hub(str(tmp_path))["test"]) < 60


def test_columns_of_other_files_may_differ(tmp_path):
    write(tmp_path / "train.csv", ["id", *COLUMNS], [("A", *row) for row in rows_of("train")])
    write(tmp_path / "dev.csv", ["label", "text"], [(f"{label}.0", text) for text, label in rows_of("dev")])
    write(tmp_path / "test.csv", ["Text ", "Label", "note"], [(*row, "x") for row in rows_of("test")])
    corpus = from_hub(str(tmp_path))
    assert {len(rows) for rows in corpus.values()} == {60}
    assert all(list(rows["label"]) == [label for _, label in ROWS] for rows in corpus.values())


def test_texts_of_train_in_another_split_are_told(tmp_path):
    write(tmp_path / "train.csv", COLUMNS, ROWS)
    write(tmp_path / "dev.csv", COLUMNS, rows_of("dev"))
    write(
        tmp_path / "test.csv",
        COLUMNS,
        [(f" {text.upper()}", label) for text, label in ROWS[:7]] + rows_of("test"),
    )
    with pytest.warns(
        UserWarning, match="7 of the 67 texts of the test split stand in the training split"
    ) as warned:
        from_hub(str(tmp_path))
    assert len(warned) == 1


def test_no_warning_where_nothing_is_wrong(tmp_path):
    for split in ("train", "dev", "test"):
        write(tmp_path / f"{split}.csv", COLUMNS, rows_of(split))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_hub(str(tmp_path))


def test_an_error_names_the_file(tmp_path):
    write(tmp_path / "train.csv", COLUMNS, ROWS)
    write(tmp_path / "test.csv", COLUMNS, [*rows_of("test"), ("", 1)])
    with pytest.raises(ValueError, match=r"test.csv \(test\), row 61: the cell of column 'text' is empty"):
        from_hub(str(tmp_path))
    shutil.move(tmp_path / "train.csv", tmp_path / "dev.csv")
    with pytest.raises(ValueError, match="no training split; it has: validation, test; call a file train"):
        from_hub(str(tmp_path))


def test_a_folder_of_txt_files_is_told_how_to_convert_them(tmp_path):
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.txt").write_text(
            "".join(f"{label}\t{text}\n" for text, label in rows_of(split))
        )
    with pytest.raises(ValueError, match=r"dev.txt: unknown suffix .*printf 'label\\ttext\\n'"):
        from_hub(str(tmp_path))
