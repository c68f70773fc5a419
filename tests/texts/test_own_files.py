"""One file of your own: exactly that file, its cells as they are, and a next step where it is unreadable."""

import gzip
import json
import subprocess

import pyarrow
import pytest
from own_rows import RIGHT, ROWS, named, write
from pyarrow import parquet

from course_lib.texts.own_texts import all_rows, from_files

TEXTS, LABELS = zip(*ROWS, strict=True)
LINES = "".join(f"{text},{label}\n" for text, label in ROWS)


# --- which file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["my[1]", "week*", "what?", "a::b", "{x}", "[2024] data/my"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_signs_in_a_name_mean_nothing(tmp_path, name, suffix):
    path = tmp_path / f"{name}{suffix}"
    path.parent.mkdir(exist_ok=True)
    others = [path.with_name(f"{each}{suffix}") for each in ("my1", "week2", "whatx", "b", "x")]
    for each in (path, *others):
        rows = ROWS if each == path else [(f"别的{text}", 1 - label) for text, label in ROWS]
        if suffix == ".csv":
            write(each, ["text", "label"], rows)
        elif suffix == ".jsonl":
            lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
            each.write_text("\n".join(lines))
        else:
            texts, labels = zip(*rows, strict=True)
            with each.open("wb") as file:
                parquet.write_table(pyarrow.table({"text": texts, "label": labels}), file)
    assert named(from_files(path)) == RIGHT


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="is a folder: name one of its files"):
        from_files(tmp_path)


# --- rows and fields ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "row", "fields"),
    [
        ("label,text\n" + "".join(f"{label},{text.replace('，', ',')}\n" for text, label in ROWS), 1, 3),
        ("text,label\n" + LINES.replace("\n", ",\n"), 1, 3),
        (f"text,label\n{LINES}好,很好,1\n", 61, 3),
        ("text;label\n" + LINES.replace(",", ";") + "好;很;好;1\n", 61, 4),
    ],
    ids=["commas in texts", "commas at the ends", "one row", "semicolons"],
)
def test_a_row_that_is_longer_than_the_header_is_named(tmp_path, content, row, fields):
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(ValueError, match=f"mine.csv, row {row} has {fields} fields, the header 2; .* quotes"):
        from_files(tmp_path / "mine.csv")


@pytest.mark.parametrize(
    "content",
    [
        f"text,label,\n{LINES}",
        "\n\n" + f"text,label\n\n{LINES}".replace("\n", "\n\n"),
        f"text,label\n{LINES}".replace("\n", "\r\n"),
        f"text,label\n{LINES}".replace("\n", "\r"),
        f"\ufefftext,label\n{LINES}",
        "id,text,label\n" + "".join(f"{number},{line}\n" for number, line in enumerate(LINES.splitlines())),
        "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in ROWS),
        "sep=;\ntext;label\n" + LINES.replace(",", ";"),
    ],
    ids=["comma in the header", "blank lines", "CRLF", "CR", "mark", "index", "quotes", "Excel's first line"],
)
def test_what_does_not_matter_in_a_csv(tmp_path, content):
    (tmp_path / "mine.csv").write_bytes(content.encode())
    assert named(from_files(tmp_path / "mine.csv")) == RIGHT


def test_a_text_may_have_commas_quotes_and_lines_between_its_quotes(tmp_path):
    rows = [(f'{text}, "真的"\n第二行', label) for text, label in ROWS]
    found = named(from_files(write(tmp_path / "mine.csv", ["text", "label"], rows)))
    assert found == {text: str(label) for text, label in rows}


def test_a_quote_mark_that_is_never_closed_is_named(tmp_path):
    (tmp_path / "mine.csv").write_text(f'text,label\n{LINES}"好,1\n坏,0\n')
    with pytest.raises(ValueError, match="row 61: a quote mark .* never closed"):
        from_files(tmp_path / "mine.csv")


@pytest.mark.parametrize("label_first", [False, True])
def test_rows_between_two_stray_quote_marks_are_not_lost_in_silence(tmp_path, label_first):
    rows = [(f'"{text}' if number in (20, 24) else text, label) for number, (text, label) in enumerate(ROWS)]
    lines = [f"{label},{text}" if label_first else f"{text},{label}" for text, label in rows]
    header = "label,text" if label_first else "text,label"
    (tmp_path / "mine.csv").write_text("\n".join([header, *lines]) + "\n")
    with pytest.raises(ValueError, match="row 21 swallows the rows below it"):
        from_files(tmp_path / "mine.csv")


def test_a_very_long_text_is_a_text(tmp_path):
    path = write(tmp_path / "mine.csv", ["text", "label"], [*ROWS, ("很好" * 100_000, 1)])
    assert max(map(len, named(from_files(path)))) == 200_000


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["text", "label"], lambda number, text, label: (text, label if number < 10_000 else "neutral")),
        (["text", "label"], lambda number, text, label: (text, label if number < 10_000 else 4.5)),
        (["text", "label"], lambda number, text, label: (number if number < 10_000 else text, label)),
        (["text", "label", "score"], lambda number, text, label: (text, label, 3 if number < 10_000 else "")),
        (["id", "text", "label"], lambda number, text, label: ("A" * (number >= 10_000), text, label)),
    ],
    ids=["words after numbers", "stars", "texts after numbers", "unused column", "ids"],
)
def test_late_rows_may_hold_another_kind_of_value(tmp_path, header, row):
    rows = [row(number, f"{text}{number}", label) for number, (text, label) in enumerate(ROWS * 169)]
    found = named(from_files(write(tmp_path / "mine.csv", header, rows)))
    text, label = header.index("text"), header.index("label")
    assert found == {str(row[text]): str(row[label]) for row in rows} and len(found) == 10_140


# --- separators and formats ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv", "mine.TSV"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_told_by_the_header(tmp_path, name, separator):
    rows = [(f"{text},;|1", label) for text, label in ROWS] if separator == "\t" else ROWS
    path = write(tmp_path / name, ["text", "label"], rows, separator=separator)
    assert named(from_files(path)) == {text: str(label) for text, label in rows}


def test_quote_marks_between_tabs_are_just_quote_marks(tmp_path):
    """As in GLUE's files: a text may begin with one and not close it."""
    rows = [
        (f'"{text}' if number % 3 else f'"好"是{text}', label) for number, (text, label) in enumerate(ROWS)
    ]
    lines = "".join(f"{text}\t{label}\n" for text, label in rows)
    (tmp_path / "glue.tsv").write_text(f"text\tlabel\n{lines}")
    assert named(from_files(tmp_path / "glue.tsv")) == {text: str(label) for text, label in rows}


def test_a_tsv_of_a_program_has_its_quotes_undone(tmp_path):
    rows = [(f'{text}"真的"', label) for text, label in ROWS]
    assert named(from_files(write(tmp_path / "a.tsv", ["text", "label"], rows, separator="\t"))).keys() == {
        text for text, _ in rows
    }
    rows = [(f"{text}\n第二行\t完", label) for text, label in ROWS]
    assert named(from_files(write(tmp_path / "b.tsv", ["text", "label"], rows, separator="\t"))).keys() == {
        text for text, _ in rows
    }


def test_full_width_commas_separate_nothing(tmp_path):
    (tmp_path / "mine.csv").write_text("text，label\n" + LINES.replace(",", "，"))
    with pytest.raises(ValueError, match="full-width '，' separates nothing; put ','"):
        from_files(tmp_path / "mine.csv")


OBJECTS = [{"text": text, "label": label} for text, label in ROWS]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".ndjson"])
@pytest.mark.parametrize(
    "content",
    [
        "".join(f"{json.dumps(each)}\n" for each in OBJECTS),
        "\n".join(json.dumps(each, indent=1) for each in OBJECTS),
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=1),
        json.dumps({"text": TEXTS, "label": LABELS}),
        json.dumps({"text": dict(enumerate(TEXTS)), "label": dict(enumerate(LABELS))}),
        "".join(
            json.dumps(each | {"label": str(each["label"])} if number % 2 else each | {"id": [number]}) + "\n"
            for number, each in enumerate(OBJECTS)
        ),
    ],
    ids=["lines", "pretty", "list", "pretty list", "columns", "as pandas", "kinds mixed"],
)
def test_json_in_every_shape(tmp_path, suffix, content):
    (tmp_path / f"mine{suffix}").write_text(content)
    assert named(from_files(tmp_path / f"mine{suffix}")) == RIGHT


def test_half_an_emoji_is_no_reason_to_stop(tmp_path):
    lines = [json.dumps({"text": f"{text}\ud83d", "label": label}) for text, label in ROWS]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    assert named(from_files(tmp_path / "mine.jsonl")).keys() == {f"{text}?" for text in TEXTS}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "好", "label": 1}\n{"text": 坏}\n', "no rows that can be read .line 2 is no JSON"),
        ('[["好", 1], ["坏", 0]]', "row 1 must be an object"),
        ('{"text": ["好", "坏"], "label": [1]}', "2 cells in column 'text', but 1 in 'label'"),
        ("[]", "holds no rows"),
    ],
)
def test_json_that_holds_no_table(tmp_path, content, message):
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        from_files(tmp_path / "mine.json")


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (pyarrow.array(TEXTS).dictionary_encode(), pyarrow.array(map(str, LABELS)).dictionary_encode()),
        (pyarrow.array([text.encode() for text in TEXTS]), pyarrow.array(map(float, LABELS))),
        (pyarrow.array(TEXTS, pyarrow.large_string()), pyarrow.array(LABELS, pyarrow.int8())),
    ],
    ids=["categories", "bytes and floats", "large"],
)
def test_parquet_in_every_type(tmp_path, texts, labels):
    parquet.write_table(pyarrow.table({"text": texts, "label": labels}), tmp_path / "mine.parquet")
    assert named(from_files(tmp_path / "mine.parquet")) == RIGHT


def test_broken_parquet(tmp_path):
    (tmp_path / "mine.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match="mine.parquet holds no rows that can be read"):
        from_files(tmp_path / "mine.parquet")


# --- what must be converted ------------------------------------------------------------------------------


def run_advice(message: str, folder) -> None:
    """Runs the command at the end of a message."""
    subprocess.run(message.split(": ")[-1], shell=True, check=True, cwd=folder)


@pytest.mark.parametrize("first", ["label", "text"])
@pytest.mark.parametrize(("name", "separator"), [("mine.txt", "\t"), ("mine.csv", ","), ("mine.tsv", "\t")])
def test_a_file_without_names_gets_them_by_the_command_that_the_message_gives(
    tmp_path, first, name, separator
):
    """THUCNews has labels first, others have them last; the command must put the names right."""
    path = tmp_path / name
    rows = [(label, text) if first == "label" else (text, label) for text, label in ROWS]
    path.write_text("".join(f"{one}{separator}{other}\n" for one, other in rows))
    with pytest.raises(ValueError, match="put names over its columns") as raised:
        from_files(path)
    run_advice(str(raised.value), tmp_path)
    new = tmp_path / f"mine-named{'.tsv' if separator == chr(9) else '.csv'}"
    assert named(from_files(new)) == RIGHT


@pytest.mark.parametrize(("separator", "suffix"), [("\t", ".tsv"), (",", ".csv")])
def test_a_txt_file_with_names_needs_another_suffix_only(tmp_path, separator, suffix):
    path = write(tmp_path / "my texts.txt", ["text", "label"], ROWS, separator=separator)
    with pytest.raises(ValueError, match=r"unknown suffix '.txt'.* so call it") as raised:
        from_files(path)
    run_advice(str(raised.value), tmp_path)
    assert named(from_files(tmp_path / f"my texts{suffix}")) == RIGHT


def test_a_compressed_file_is_unpacked_by_the_command_that_the_message_gives(tmp_path):
    write(tmp_path / "mine.csv", ["text", "label"], ROWS)
    (tmp_path / "mine.csv.gz").write_bytes(gzip.compress((tmp_path / "mine.csv").read_bytes()))
    (tmp_path / "mine.csv").unlink()
    with pytest.raises(ValueError, match=r"unknown suffix '.gz'.* unpack it: gunzip -k") as raised:
        from_files(tmp_path / "mine.csv.gz")
    run_advice(str(raised.value), tmp_path)
    assert named(from_files(tmp_path / "mine.csv")) == RIGHT


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("mine.xlsx", "CSV UTF-8"),
        ("mine.docx", "save it as one of these"),
        ("mine.txt", "with a tab between"),
    ],
)
def test_other_files_are_refused_with_a_next_step(tmp_path, name, advice):
    (tmp_path / name).write_text("一句话\n又一句\n")
    with pytest.raises(ValueError, match=f"unknown suffix .*{advice}"):
        from_files(tmp_path / name)


def test_all_rows_of_a_file_that_is_too_short_for_three_splits(tmp_path):
    rows = all_rows(write(tmp_path / "mine.csv", ["text", "label"], ROWS[:3]))
    assert list(rows["text"]) == list(TEXTS[:3]) and rows.features["label"].names == ["0", "1"]
