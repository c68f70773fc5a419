"""`course train`: a recipe, from its data to its record."""

from pathlib import Path
from typing import Annotated

import typer

from course_lib.command.common import (
    Json,
    LabelColumn,
    PairColumn,
    TextColumn,
    clear_errors,
    console,
    print_json,
)


@clear_errors
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe of data/recipes, or a TOML file of your own.")],
    seed: Annotated[int | None, typer.Option(help="Train this seed only.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Any BERT in place of the recipe's: a folder or a hub name.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Your own texts: a file (.csv, .tsv, .jsonl, .parquet) with the columns text and label, a "
            "folder with such files, called train, validation and test, or a hub name."
        ),
    ] = None,
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    out: Annotated[
        Path | None, typer.Option(help="Put checkpoints, runs and traces there, not into data/.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train what a recipe says; an interrupted training goes on where it stopped.

    What is trained with another backbone or on other data bears their names and replaces nothing; so does
    a pre-training with another seed.

    A file is split by a hash of its texts, eight tenths for training; a split that a folder lacks is cut out
    of train in the same way.

    Where each row has two texts, a question and a passage, both are read: give their columns with --text and
    --text-pair, unless they have well-known names (question, passage; text_a, text_b; sentence1, sentence2).

    Examples: course train reviews-fastbert --seed 1; course train reviews-fastbert --backbone
    bert-base-chinese --data my.csv --out mine; course train reviews-fastbert --data my.csv --text review
    --label stars; course train idioms-e5 --data pairs.csv --text ask --text-pair reply
    """
    from course_lib.training.run import run_recipe

    kinds = ("checkpoints", "runs", "traces", "answers")
    folders = {} if out is None else {name: out / name for name in kinds}
    columns = {"text": text, "text_pair": text_pair, "label": label}
    record = run_recipe(recipe, seed=seed, backbone=backbone, data=data, **columns, **folders)
    shown = {key: value for key, value in record.items() if key not in ("history", "phases")}
    print_json(shown) if as_json else console.print(shown.get("metrics", shown))
