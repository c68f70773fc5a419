"""Texts of your own, from a file, a folder or a data set of the hub, in the shape of the course's corpora.

Each row has one text, or two: a question and a passage (see `pair_layouts`).
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, load_dataset, load_dataset_builder
from datasets.exceptions import DatasetGenerationError, DatasetsError

from course_lib.texts.columns import find_column, missing_columns
from course_lib.texts.labels import label_name, refuse_two_spellings
from course_lib.texts.own_files import Table, read_table, table_of
from course_lib.texts.own_folders import files_by_split
from course_lib.texts.pair_layouts import HOLDS, is_reading, pair_columns, reading
from course_lib.texts.shape import SPLITS, canonical, split_by_hash, split_pairs_by_hash


class Columns(NamedTuple):
    """What the columns are called; without `text_pair` a known layout of pairs is looked for."""

    text: str = "text"
    label: str = "label"
    text_pair: str | None = None

    def of(self, table: Table) -> "Columns":
        """The same, with both columns of texts where the table has a known layout of pairs."""
        if self.text != "text" or self.text_pair is not None:
            return self
        first, second = pair_columns(table.columns) or (self.text, None)
        return Columns(first, self.label, second)


class Rows(NamedTuple):
    """Texts and the names of their classes.

    Fields:
        classes: in their order, where the data bring them along.
        pairs: the second texts, where each row has two.
        together: rows with the same word here stay in one split.
    """

    texts: list[str]
    labels: list[str]
    classes: list[str] | None = None
    pairs: list[str] | None = None
    together: list[str] | None = None

    def read(self) -> list[str]:
        """What is read of each row: the text, or both."""
        return (
            self.texts
            if self.pairs is None
            else list(map("\t".join, zip(self.texts, self.pairs, strict=True)))
        )


def from_files(
    path: str | Path, text: str = "text", label: str = "label", text_pair: str | None = None
) -> DatasetDict:
    """A CSV, TSV, JSON-lines or Parquet file of your own, in the shape of `reviews()`.

    Where each row has two texts, a question and a passage, the second stands in the column `text_pair` of
    what is returned. Well-known names are found without being told (question, passage; text_a, text_b;
    sentence1, sentence2; …), and so is the layout of SQuAD (context, question, answers): there each sentence
    of a context becomes a pair with the question, and the class tells whether it holds the answer.

    Args:
        path: the file; its suffix (.csv, .tsv, .jsonl, .ndjson, .json, .parquet, in any case) tells the
            format.
        text, label: the names of the two columns; case and blanks around them do not matter. Numbers are
            taken as words ("0", "1"; 1.0 as "1"), without blanks around them.
        text_pair: the name of the column of second texts.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: unknown suffix, wrong encoding, empty or broken file, a row longer than the header, a
            missing column, an empty cell (rows count from 1, without the header), one class only, two
            classes that differ in spelling only, or too few rows for three splits.
    """
    path = Path(path)
    return _to_course_shape({"train": _rows_of_file(path, Columns(text, label, text_pair))}, path.name)


def all_rows(
    path: str | Path, text: str = "text", label: str = "label", text_pair: str | None = None
) -> Dataset:
    """A file as `from_files` reads it, but whole: not split, so it may be as short as you like."""
    path = Path(path)
    rows = _rows_of_file(path, Columns(text, label, text_pair))
    return _dataset(rows, _classes(rows, path.name), path.name)


def from_hub(
    path: str, /, text: str = "text", label: str = "label", text_pair: str | None = None, **load_options
) -> DatasetDict:
    """A folder, or a data set of the Hugging Face hub, in the shape of `reviews()`.

    A folder holds files that `from_files` reads, called train, validation (or dev) and test; or it has the
    hub's layout. Splits that are there are kept, and their classes numbered as in the training split; a
    missing validation or test split is cut out of the training split by hash. A validation or test split
    whose labels are all kept secret (there is no such column, or nothing in it but -1) counts as missing,
    with a warning; there is one, too, where such a split holds texts of the training split. `load_options`
    go to `datasets.load_dataset` (`name` chooses among several configurations; `revision`, …).

    Raises:
        ValueError: as `from_files`; also where a split has labels that the training split does not have.
    """
    columns = Columns(text, label, text_pair)
    tables = _tables_of_folder(Path(path), columns) if not load_options else {}
    tables = tables or _tables_of_hub(path, **load_options)
    if "train" not in tables:
        raise ValueError(
            f"{path} has no training split; it has: {', '.join(tables)}; call a file train, or name one file"
        )
    parts, notes = {}, []
    for split in (split for split in SPLITS if split in tables):
        if split != "train" and _is_secret(tables[split].values(), label):
            notes.append(
                f"{path}: the {split} split keeps all its labels secret (column {label!r} is missing, "
                "empty or -1 throughout); left out, one is cut out of train"
            )
        else:
            parts[split] = _joined(
                [_rows_of(table, columns, place) for place, table in tables[split].items()]
            )
    for note in notes + _texts_of_train(parts, path):
        warnings.warn(note, stacklevel=2)
    return _to_course_shape(parts, path)


def _tables_of_folder(folder: Path, columns: Columns) -> dict[str, dict[str, Table]]:
    """Split -> the place that an error names -> the table that lies there."""
    wanted = tuple(filter(None, columns))
    return {
        split: {f"{file} ({split})": read_table(file, wanted) for file in files}
        for split, files in files_by_split(folder, wanted).items()
    }


def _tables_of_hub(path: str, **load_options) -> dict[str, dict[str, Table]]:
    loaded = _load(path, **load_options)
    loaded = {"train": loaded} if isinstance(loaded, Dataset) else loaded
    return {split: {f"{path} ({split})": table_of(rows)} for split, rows in loaded.items()}


def _rows_of_file(path: Path, columns: Columns) -> Rows:
    return _rows_of(read_table(path, tuple(filter(None, columns))), columns, path.name)


def _load(path: str, **options) -> Dataset | Mapping[str, Dataset]:
    """`datasets.load_dataset`; what cannot be read is a ValueError that tells the reason."""
    try:
        try:
            return load_dataset(path, **options)
        except DatasetGenerationError:  # it wants the same columns in all splits, so let it read one by one
            files = load_dataset_builder(path, **options).config.data_files or {}
            if len(files) < 2:
                raise
            return {
                split: load_dataset(path, data_files={split: list(found)}, split=split)
                for split, found in files.items()
            }
    except FileNotFoundError:  # also a data set that the hub does not have: the message is clear
        raise
    except (ValueError, DatasetsError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ValueError(f"{path} holds no rows that can be read ({reason[:400]})") from None


def _is_secret(tables: Iterable[Table], label: str) -> bool:
    """Whether nobody may know the labels: they are missing, or -1, which is the hub's sign for it."""
    tables = list(tables)
    for table in tables:
        if is_reading(table.columns):  # its labels are the answers
            return False
        column = find_column(table.columns, label)
        if column is not None and any(cell not in (None, "", -1, "-1") for cell in table.columns[column]):
            return False
    return any(len(cells) for table in tables for cells in table.columns.values())


def _texts_of_train(parts: Mapping[str, Rows], origin: str) -> list[str]:
    """A warning for each other split that holds texts of the training split."""
    train = {canonical(text) for text in parts["train"].read()}
    notes = []
    for split, rows in parts.items():
        known = sum(1 for text in rows.read() if canonical(text) in train)
        if split != "train" and known:
            notes.append(
                f"{origin}: {known} of the {len(rows.texts)} texts of the {split} split stand in the "
                "training split, too; what a model reaches on them says little about new texts"
            )
    return notes


def _rows_of(table: Table, columns: Columns, origin: str) -> Rows:
    """The columns of texts and labels as words, without an empty cell."""
    if not table.columns:
        raise ValueError(f"{origin} holds no rows")
    if columns == Columns() and is_reading(table.columns):
        found = reading(table.columns, origin)
        if not found.labels:
            raise ValueError(f"{origin} holds no rows")
        return Rows(found.questions, found.labels, list(HOLDS), found.sentences, found.contexts)
    columns = columns.of(table)
    wanted = {part: name for part, name in columns._asdict().items() if name is not None}
    if error := missing_columns(table.columns, wanted, origin):
        raise error
    names = {part: find_column(table.columns, name) for part, name in wanted.items()}
    found = {part: table.columns[name][:] for part, name in names.items()}  # [:] reads a Dataset's at once
    label, classes = names["label"], table.classes.get(names["label"])
    if classes:  # the hub marks labels that are kept secret with -1
        found["label"] = [
            classes[cell] if cell is not None and cell >= 0 else None for cell in found["label"]
        ]
    for part, cells in found.items():
        if len(cells) != len(found["label"]):
            raise ValueError(
                f"{origin}: {len(cells)} cells in column {names[part]!r}, but {len(found['label'])} in "
                f"{label!r}"
            )
    if not found["label"]:
        raise ValueError(f"{origin} holds no rows")
    for part, column in names.items():
        for number, cell in enumerate(found[part], start=1):
            if isinstance(cell, list | dict):
                raise ValueError(
                    f"{origin}, row {number}: column {column!r} must hold words, or numbers, one in each cell"
                )
            if cell is None or cell != cell or not _word(cell).strip():  # only NaN differs from itself
                raise ValueError(f"{origin}, row {number}: the cell of column {column!r} is empty")
    texts, pairs = ([_word(cell) for cell in found.get(part, [])] for part in ("text", "text_pair"))
    labels = found["label"] if classes else [label_name(_word(cell)) for cell in found["label"]]
    return Rows(texts, labels, classes, pairs or None)


def _word(cell: object) -> str:
    word = cell.decode("utf-8") if isinstance(cell, bytes) else str(cell)
    return word.encode("utf-8", "replace").decode("utf-8")  # JSON may hold half an emoji, which nothing takes


def _joined(rows: list[Rows]) -> Rows:
    """Several files of one split, one after the other."""
    texts, labels, _, pairs, together = zip(*rows, strict=True)

    def chained(parts: Sequence[list[str] | None]) -> list[str] | None:
        return None if None in parts else list(chain.from_iterable(parts))

    return Rows(chained(texts), chained(labels), rows[0].classes, chained(pairs), chained(together))


def _classes(rows: Rows, origin: str) -> list[str]:
    if rows.classes:
        return rows.classes
    names = sorted(set(rows.labels))
    refuse_two_spellings(names, origin)
    return names


def _dataset(rows: Rows, names: list[str], origin: str) -> Dataset:
    number = {name: number for number, name in enumerate(names)}
    if unknown := sorted(set(rows.labels) - set(names)):
        raise ValueError(
            f"{origin} has labels that its training split has not: unknown labels: {', '.join(unknown)}; "
            f"known: {', '.join(names)}"
        )
    texts = {"text": rows.texts} | ({} if rows.pairs is None else {"text_pair": rows.pairs})
    features = Features({name: Value("string") for name in texts} | {"label": ClassLabel(names=names)})
    return Dataset.from_dict(texts | {"label": [number[label] for label in rows.labels]}, features)


def _to_course_shape(brought: Mapping[str, Rows], origin: str) -> DatasetDict:
    if len({rows.pairs is None for rows in brought.values()}) > 1:
        raise ValueError(f"{origin}: some splits hold pairs of texts, others single ones")
    names = _classes(brought["train"], origin)
    parts = {}
    for split, rows in brought.items():
        place = f"{origin} ({split})" if len(brought) > 1 else origin
        parts[split] = _dataset(rows, names, place)
    train = parts["train"]
    if len(set(train["label"][:])) < 2:
        raise ValueError(f"{origin} holds one class only; a classifier needs at least two")
    missing = [split for split in SPLITS if split not in parts]
    if missing:
        rows = zip(*(train[name][:] for name in train.column_names), strict=True)
        if "text_pair" in train.column_names:
            together = brought["train"].together
            parts |= split_pairs_by_hash(rows, train.features["label"], ["train", *missing], together)
        else:
            parts |= split_by_hash(rows, train.features["label"], ["train", *missing])
    for split, rows in parts.items():
        if len(rows) == 0:
            raise ValueError(
                f"{origin}: {len(train)} rows are too few, they leave the {split} split empty; add rows, or "
                "put files called train, validation and test into a folder"
            )
    return DatasetDict({split: parts[split] for split in SPLITS})
