"""The commands on texts of one's own and on sentences that they cannot read; output wherever it goes."""

import io
import json
import os
import subprocess
import sys

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from typer.testing import CliRunner

from course_lib.command.app import app
from course_lib.command.common import in_order_of, parse_speed, print_json

ROWS = [
    (f"{'早餐不错，很喜欢' if number % 2 else '服务太差，后悔了'}{number}号", number % 2)
    for number in range(60)
]


def course(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def in_code_page(encoding: str, *arguments) -> subprocess.CompletedProcess:
    """A command with its output redirected, as Windows does it with a code page of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from course_lib.command.app import app; app()", *arguments],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )


@pytest.fixture
def mine(tmp_path):
    lines = "".join(f"{text},{label}\n" for text, label in ROWS)
    (tmp_path / "mine.csv").write_text(f"text,label\n{lines}", "utf-8")
    return tmp_path / "mine.csv"


# --- which rows ---------------------------------------------------------------------------------------


def test_evaluate_says_how_many_sentences_and_takes_all_where_asked(mine):
    part = json.loads(course("evaluate", "--data", mine, "--json").stdout)
    whole = json.loads(course("evaluate", "--data", mine, "--split", "all", "--json").stdout)
    assert (part["sentences_in_all_splits"], whole["sentences"]) == (60, 60)
    assert 0 < part["sentences"] < 30 and sum(whole["histogram"]) == 60
    printed = " ".join(course("evaluate", "--data", mine).output.split())
    assert f"test: {part['sentences']} sentences; --split all takes all 60" in printed


def test_evaluate_takes_all_of_a_file_that_is_too_short_to_split(tmp_path):
    (tmp_path / "short.csv").write_text("text,label\n很喜欢,1\n太差了,0\n", "utf-8")
    refused = course("evaluate", "--data", tmp_path / "short.csv")
    assert refused.exit_code == 2 and "too few" in refused.output
    found = json.loads(
        course("evaluate", "--data", tmp_path / "short.csv", "--split", "all", "--json").stdout
    )
    assert found["sentences"] == 2


# --- which columns ------------------------------------------------------------------------------------


def test_columns_of_other_names(mine):
    right = json.loads(course("evaluate", "--data", mine, "--json").stdout)
    mine.write_text(mine.read_text("utf-8").replace("text,label", "review,stars"), "utf-8")
    refused = course("evaluate", "--data", mine)
    assert refused.exit_code == 2 and "did you mean --text review --label stars" in refused.output
    found = json.loads(
        course("evaluate", "--data", mine, "--text", "review", "--label", "stars", "--json").stdout
    )
    assert found == right
    options = ["--batches", "4", "--rounds", "3", "--json"]
    timed = course("bench", "exits", "--data", mine, "--text", "review", "--label", "stars", *options)
    assert {each["sentences"] for each in json.loads(timed.stdout)} == {right["sentences"]}


def test_columns_of_a_corpus_of_the_course_are_not_chosen():
    result = course("evaluate", "--text", "review")
    assert result.exit_code == 2 and "reviews is a corpus of the course: leave out text" in result.output


def test_train_with_columns_of_other_names(tmp_path):
    lines = "".join(f"{label},{text}\n" for text, label in ROWS)
    (tmp_path / "mine.csv").write_text(f"stars,review\n{lines}", "utf-8")
    arguments = [
        "train",
        "reviews-tfidf",
        "--data",
        tmp_path / "mine.csv",
        "--out",
        tmp_path / "out",
        "--json",
    ]
    assert course(*arguments).exit_code == 2
    result = course(*arguments, "--text", "review", "--label", "stars")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["metrics"]["test"] > 0.9


@pytest.mark.parametrize("command", ["evaluate", "train", "bench exits"])
def test_help_tells_of_columns_and_folders(command):
    words = " ".join(course(*command.split(), "--help").output.replace("│", " ").split())
    assert all(word in words for word in ("--text", "--label", ".tsv", "called train, validation and test"))


# --- which classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("negative", "positive"), ("0.0", "1.0"), ("Negative ", "POSITIVE")])
def test_labels_are_matched_however_they_are_spelled(mine, names):
    right = json.loads(course("evaluate", "--data", mine, "--json").stdout)
    lines = "".join(f"{text},{names[label]}\n" for text, label in ROWS)
    mine.write_text(f"text,label\n{lines}", "utf-8")
    assert json.loads(course("evaluate", "--data", mine, "--json").stdout) == right


def test_labels_spelled_in_another_order():
    rows = Dataset.from_dict(
        {"text": ["一", "二"], "label": [0, 1]},
        Features(text=Value("string"), label=ClassLabel(names=["A ", "ｂ"])),
    )
    assert list(in_order_of(["B", "a"], rows, "model", "data")["label"]) == [1, 0]


def test_codes_are_no_numbers_of_classes(mine):
    mine.write_text(mine.read_text("utf-8").replace(",0\n", ",01\n").replace(",1\n", ",02\n"), "utf-8")
    result = course("evaluate", "--data", mine)
    assert result.exit_code == 2 and "has 01, 02; name them as the model does" in result.output


# --- sentences ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "warning"),
    [
        ("😀😀😀🎉", "4 of 4 tokens are unknown to this model: don't trust the answer."),
        ("Отличный отель", "tokens are unknown"),
        ("\u200b", "1 of 1 tokens are unknown"),
        ("房间很干净" * 2000, "Only the first 126 tokens are read."),
    ],
)
def test_predict_warns_of_what_it_cannot_read(sentence, warning):
    result = course("predict", sentence, "--json")
    found = json.loads(result.stdout)
    assert "warning: " in result.stderr and warning in result.stderr
    assert len(found["warnings"]) == 1 and warning in found["warnings"][0]
    assert found["cut"] == ("Only" in warning) and found["unknown_tokens"] <= found["tokens"]


def test_predict_says_nothing_of_a_sentence_that_it_reads():
    result = course("predict", "房间很干净", "--json")
    found = json.loads(result.stdout)
    assert result.stderr == "" and found["warnings"] == [] and found["unknown_tokens"] == 0


@pytest.mark.parametrize("blank", ["", "  ", "\u3000", "\t\n"])
def test_predict_refuses_a_sentence_of_blanks(blank):
    result = course("predict", blank)
    assert result.exit_code == 2 and "the sentence is empty" in result.output


def test_evaluate_warns_of_what_it_cannot_read(mine):
    lines = "".join(f"{'Отличный отель' if label else '很' * 300}{text},{label}\n" for text, label in ROWS)
    mine.write_text(f"text,label\n{lines}", "utf-8")
    result = course("evaluate", "--data", mine, "--split", "all", "--json")
    found = json.loads(result.stdout)
    assert "30 of 60 texts are longer than the 126 tokens" in result.stderr and found["cut_sentences"] == 30
    mine.write_text("text,label\n😀 x 😀,1\nОтель,0\n", "utf-8")
    result = course("evaluate", "--data", mine, "--split", "all", "--json")
    assert "of the tokens are unknown to this model" in result.stderr
    assert json.loads(result.stdout)["unknown_tokens"] > 0.3


@pytest.mark.parametrize("sentence", ["--- 太差了", "-很好", "-- 很好", "-5 分", "--太差了", "- bad -"])
def test_a_sentence_may_begin_with_dashes(sentence):
    result = course("predict", sentence, "--json")
    assert result.exit_code == 0 and json.loads(result.stdout)["text"] == sentence


@pytest.mark.parametrize("arguments", [["--sped=0.5"], ["--sped"], ["-x"], ["很好", "--sped", "0.5"]])
def test_a_misspelt_option_is_no_sentence(arguments):
    result = course("predict", *arguments)
    assert result.exit_code == 2 and ("no option" in result.output or "unexpected extra" in result.output)


@pytest.mark.parametrize(
    ("text", "point"), [("0,5", "0.5"), ("0，5", "0.5"), ("0,1", "0.1"), (" 0,25 ", "0.25")]
)
def test_a_decimal_comma_is_not_taken_for_two_thresholds(text, point):
    with pytest.raises(ValueError, match=f"write {point}, with a point"):
        parse_speed(text)
    result = course("predict", "很好", "--speed", text)
    assert result.exit_code == 2 and f"write {point}" in result.output


def test_thresholds_are_still_thresholds():
    assert parse_speed("0.0,1.0") == [0.0, 1.0] and parse_speed("0,1,1") == [0.0, 1.0, 1.0]
    assert parse_speed("0.5") == 0.5 and parse_speed("1") == 1.0


# --- where stdout is not UTF-8 ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "sentence", "as_it_is"),
    [
        ("gbk", "很干净😀", False),
        ("gbk", "很干净", True),
        ("cp1252", "很干净", False),
        ("cp1252", "Señor", True),
        ("ascii", "Señor", False),
        ("utf-8", "很干净😀", True),
        ("utf-8", "\ud83d", False),
    ],
)
def test_json_is_json_in_every_code_page(monkeypatch, encoding, sentence, as_it_is):
    """`errors` is what the commands set, so that tables are shown; JSON must not be spoiled by it."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding, errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stdout)
    print_json({"text": sentence})
    stdout.flush()
    written = stdout.buffer.getvalue().decode(encoding)
    assert json.loads(written) == {"text": sentence}
    assert (sentence in written) == as_it_is


def test_a_command_redirected_into_a_code_page():
    result = in_code_page("gbk", "predict", "很干净😀", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["text"] == "很干净😀"


def test_tables_and_help_are_shown_in_every_code_page():
    table = in_code_page("cp1252", "predict", "好", "--model", "worlds-fastbert")
    assert table.returncode == 0 and b"leaves here" in table.stdout
    help_text = in_code_page("cp1252", "predict", "--help")
    assert help_text.returncode == 0 and b"--speed" in help_text.stdout


def test_warnings_of_the_library_are_one_sentence(tmp_path):
    for split in ("train", "test"):
        lines = "".join(f"{text},{label}\n" for text, label in ROWS)
        (tmp_path / f"{split}.csv").write_text(f"text,label\n{lines}", "utf-8")
    result = course("evaluate", "--data", tmp_path, "--json")
    assert result.stderr.startswith("warning: ") and result.stderr.count("\n") == 1
    assert "60 of the 60 texts of the test split stand in the training split" in result.stderr
    assert json.loads(result.stdout)["sentences"] == 60
