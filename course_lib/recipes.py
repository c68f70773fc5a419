"""Recipes: the small TOML files that say how something is trained, looked over before anything runs."""

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path

from course_lib.layerdrop import LayerDrop
from course_lib.loop import LoopSettings
from course_lib.paths import RECIPES

OPTIONS = {  # what `course train` may change in a recipe, stage by stage
    "pretrain": ("seed",),
    "baseline": ("data",),
    "fastbert": ("seed", "backbone", "data"),
    "pruning": ("seed", "backbone", "data"),
}
NEEDED = {  # what a recipe must say, stage by stage
    "pretrain": {"phases", "seed"},
    "baseline": {"data"},
    "fastbert": {"data", "seeds", "model", "finetune", "distil"},
    "pruning": {"data", "backbone", "seeds", "cut", "tuned", "finetune"},
}
ALLOWED = {  # what it may say besides
    "pretrain": {"start", "teacher", "tokenizer", "model", "layer_drop"},
    "baseline": set(),
    "fastbert": {"backbone", "keep"},
    "pruning": {"layer_drop"},
}
FROM_NOTHING = {"tokenizer", "model"}  # what pre-training must know that begins with random weights
LOOP = {field.name for field in fields(LoopSettings)} - {"seed"}
TABLES = {  # what its tables may say
    "phases": LOOP | {"layers", "corpora"},
    "finetune": LOOP | {"joint", "hide_tokens", "step_by_step", "layer_drop"},  # of a FastBERT
    "distil": LOOP,
    "layer_drop": {"rate", "unit", "profile"},
}


def read_recipe(name_or_file: str | Path) -> dict:
    """A recipe by its name in data/recipes, or from a TOML file of your own."""
    path = Path(name_or_file)
    if path.suffix != ".toml":
        path = RECIPES / f"{name_or_file}.toml"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in RECIPES.glob("*.toml")))
        raise FileNotFoundError(f"no recipe {str(name_or_file)!r}; there are: {names}")
    return checked_recipe({"name": path.stem, **tomllib.loads(path.read_text("utf-8"))})


def checked_recipe(recipe: dict) -> dict:
    """The recipe itself, if its keys and those of the tables in `TABLES` are known and none is missing.

    Raises:
        ValueError: they are not; the message names the nearest key. Or `layer_drop` cannot be.
    """
    name, stage = recipe["name"], recipe.get("stage")
    if stage not in NEEDED:
        raise ValueError(f"{name}: stage must be one of {list(NEEDED)}, not {stage!r}")
    _refuse_unknown(recipe, NEEDED[stage] | ALLOWED[stage] | {"name", "stage", "reproduce"}, name)
    for table, each in _tables(recipe):
        plain = (stage, table) == ("pruning", "finetune")  # a classifier without exits
        _refuse_unknown(each, LOOP | {"hide_tokens"} if plain else TABLES[table], f"{name}: [{table}]")
        if table == "layer_drop":
            _refuse_impossible(each, name)
    for key in sorted(NEEDED[stage] - recipe.keys()):
        raise ValueError(f"{name}: a recipe of stage {stage!r} needs {key!r}")
    if stage == "pretrain" and not {"start", "teacher"} & recipe.keys() and not FROM_NOTHING <= recipe.keys():
        raise ValueError(f"{name}: without a start or a teacher, a recipe needs {sorted(FROM_NOTHING)}")
    return recipe


def _tables(recipe: dict) -> Iterator[tuple[str, dict]]:
    """Every table of a recipe that `TABLES` names, with its name; also those inside another one."""
    for table in (table for table in TABLES if table in recipe):
        for each in recipe[table] if isinstance(recipe[table], list) else [recipe[table]]:
            if not isinstance(each, dict):
                raise ValueError(f"{recipe.get('name', 'recipe')}: {table} must be a table, not {each!r}")
            yield table, each
            yield from _tables(each)


def _refuse_impossible(layer_drop: dict, name: str) -> None:
    try:
        LayerDrop(**layer_drop)
    except (TypeError, ValueError) as error:  # no rate, or none that can be
        raise ValueError(f"{name}: [layer_drop] {error}") from None


def _refuse_unknown(table: dict, known: set[str], where: str) -> None:
    for key in sorted(table.keys() - known):
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        raise ValueError(f"{where} has no {key!r}; {hint}")
