"""Recipes: the small TOML files that say how something is trained, looked over before anything runs."""

import tomllib
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
    "pretrain": {"phases"},
    "baseline": {"data"},
    "fastbert": {"data", "seeds", "model", "finetune", "distil"},
    "pruning": {"data", "backbone", "seeds", "cut", "tuned", "finetune"},
}
ALLOWED = {  # what it may say besides
    "pretrain": {"seed", "start", "teacher", "tokenizer", "model", "layer_drop"},
    "baseline": set(),
    "fastbert": {"backbone", "keep"},
    "pruning": {"layer_drop"},
}
LOOP = {field.name for field in fields(LoopSettings)} - {"seed"}
TABLES = {  # what its tables may say
    "phases": LOOP | {"layers", "corpora"},
    "finetune": LOOP | {"joint", "hide_tokens", "step_by_step", "layer_drop"},
    "distil": LOOP,
    "layer_drop": {"rate", "unit", "profile", "seed"},
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
    """The recipe itself, if all its keys are known and none is missing.

    Raises:
        ValueError: they are not; the message names the nearest key. Or `layer_drop` is none.
    """
    name, stage = recipe["name"], recipe.get("stage")
    if stage not in NEEDED:
        raise ValueError(f"{name}: stage must be one of {list(NEEDED)}, not {stage!r}")
    _refuse_unknown(recipe, NEEDED[stage] | ALLOWED[stage] | {"name", "stage", "reproduce"}, name)
    found = [(table, each) for table in TABLES for each in _as_list(recipe.get(table, {}))]
    found.append(("layer_drop", recipe.get("finetune", {}).get("layer_drop", {})))
    for table, each in found:
        _refuse_unknown(each, TABLES[table], f"{name}: [{table}]")
        if table == "layer_drop" and each:
            if "rate" not in each:
                raise ValueError(f"{name}: [layer_drop] needs 'rate'")
            LayerDrop(**each)  # refuses what it must
    for key in sorted(NEEDED[stage] - recipe.keys()):
        raise ValueError(f"{name}: a recipe of stage {stage!r} needs {key!r}")
    return recipe


def _as_list(table: dict | list[dict]) -> list[dict]:
    return table if isinstance(table, list) else [table]


def _refuse_unknown(table: dict, known: set[str], where: str) -> None:
    for key in sorted(table.keys() - known):
        near = get_close_matches(key, known, n=1, cutoff=0)[0]
        raise ValueError(f"{where} has no {key!r}; did you mean {near!r}?")
