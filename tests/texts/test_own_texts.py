"""Texts of your own: read in every format and layout, and bad files refused in one sentence."""

import shutil
import subprocess

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from course_lib.texts.own_texts import from_files, from_hub
from course_lib.texts.shape import class_names, split_of

ROWS = [{"review": f"第{number}个", "stars": "good" if number % 2 else "bad"} for number in range(200)]


@pytest.mark.parametrize("loud", [False, True], ids=["lower", "UPPER"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_files_of_your_own(tmp_path, suffix, loud):
    path = tmp_path / f"mine{suffix}"
    rows = Dataset.from_list(ROWS)
    writer = {".csv": rows.to_csv, ".jsonl": rows.to_json, ".parquet": rows.to_parquet}[suffix]
    writer(str(path), **({"force_ascii": False} if suffix == ".jsonl" else {}))
    path = path.rename(tmp_path / f"mine{suffix.upper()}" if loud else path)
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
    with pytest.raises(ValueError, match="no column 'label'; it has: text, stars"):
        from_files(file("d.csv", b"text,stars\nx,1\n"))
    with pytest.raises(ValueError, match="one class only"):
        from_files(file("e.csv", b"text,label\nx,1\ny,1\n"))
    with pytest.raises(ValueError, match="no rows"):
        from_files(file("f.csv", b"text,label\n"))


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-16-be"])
def test_the_hint_about_another_encoding_is_a_command_that_mends_it(tmp_path, encoding):
    lines = "".join(f"{row['review']},{row['stars']}\n" for row in ROWS)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "my file.csv").write_bytes(f"{mark}text,label\n{lines}".encode(encoding))
    with pytest.raises(ValueError, match="my file.csv is not UTF-8") as raised:
        from_files(tmp_path / "my file.csv")
    command = str(raised.value).split("convert it: ")[1]
    assert f"-f {'GB18030' if encoding == 'gb18030' else 'UTF-16'} " in command
    if shutil.which("iconv") is None:
        pytest.skip("no iconv")
    subprocess.run(command, shell=True, check=True)
    assert len(from_files(tmp_path / "my file-utf8.csv")["train"]) > 100


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


def test_a_configuration_is_chosen_by_its_name(tmp_path):
    """As the hub's sst2 in nyu-mll/glue: from_hub("x/y", name="sst2")."""
    for configuration, sign in (("one", "x"), ("two", "y")):
        (tmp_path / configuration).mkdir()
        rows = Dataset.from_list([row | {"review": sign + row["review"]} for row in ROWS])
        rows.to_csv(str(tmp_path / configuration / "train.csv"))
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: one\n  data_files: one/train.csv\n"
        "- config_name: two\n  data_files: two/train.csv\n---\n"
    )
    corpus = from_hub(str(tmp_path), text="review", label="stars", name="two")
    assert {text[0] for split in corpus.values() for text in split["text"]} == {"y"}


@pytest.mark.parametrize("secret", [["test"], ["validation", "test"]])
def test_a_split_whose_labels_are_all_secret_is_cut_out_of_train(tmp_path, secret):
    features = Features(text=Value("string"), label=ClassLabel(names=["a", "b"]))
    for split in ("train", "validation", "test"):
        labels = [-1] * 100 if split in secret else [0, 1] * 50
        rows = {"text": [f"{split}{number}" for number in range(100)], "label": labels}
        Dataset.from_dict(rows, features).to_parquet(str(tmp_path / f"{split}.parquet"))
    with pytest.warns(UserWarning, match="split keeps all its labels secret") as warned:
        corpus = from_hub(str(tmp_path))
    assert len(warned) == len(secret) and warned[0].filename == __file__
    for split, rows in corpus.items():
        source = "train" if split in secret else split
        assert len(rows) > 0 and all(text.startswith(source) for text in rows["text"])
    assert sum(len(rows) for rows in corpus.values()) == 100 * (3 - len(secret))


def test_a_split_with_some_secret_labels_is_refused(tmp_path):
    features = Features(text=Value("string"), label=ClassLabel(names=["a", "b"]))
    for split, labels in (("train", [0, 1] * 50), ("test", [0, -1] * 50)):
        rows = {"text": [f"{split}{number}" for number in range(100)], "label": labels}
        Dataset.from_dict(rows, features).to_parquet(str(tmp_path / f"{split}.parquet"))
    with pytest.raises(ValueError, match=r"\(test\), row 2: the cell of column 'label' is empty"):
        from_hub(str(tmp_path))


MANY = "".join(f"第{number}个,{number % 2}\n" for number in range(100))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.csv", f"text,label\n{MANY},1\n", "row 101: the cell of column 'text' is empty"),
        ("blank.csv", f"text,label\n  ,1\n{MANY}", "row 1: the cell of column 'text' is empty"),
        ("label.csv", f"text,label\n好,1\n坏,\n{MANY}", "row 2: the cell of column 'label' is empty"),
        ("label.jsonl", '{"text": "a", "label": "x"}\n{"text": "b"}\n', "row 2: the cell of column 'label'"),
        ("broken.jsonl", '{"text": "a", "label": 1}\n{"text": \n', "no rows that can be read"),
        ("columns.csv", f"text,label\n{MANY}a,b,c,d\n", "row 101 has 4 fields, the header 2"),
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
