"""`course train NAME`: a recipe by its stage; and all recipes of the course, each after what it needs."""

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path

from course_lib.measures.records import read_record
from course_lib.paths import ANSWERS, CHECKPOINTS, RECIPES, RUNS, TRACES, UNFINISHED
from course_lib.texts.corpora import load_corpus
from course_lib.texts.own_files import FORMATS
from course_lib.training.baseline import train_baseline
from course_lib.training.decoder import train_decoder
from course_lib.training.fastbert import train_fastbert
from course_lib.training.pretrain import pretrain
from course_lib.training.provenance import BEGINS_WITH
from course_lib.training.pruning_study import run_pruning_study
from course_lib.training.recipes import COLUMNS, OPTIONS, read_recipe, recipe_columns
from course_lib.training.student import train_student


def run_recipe(
    name_or_file: str | Path,
    seed: int | None = None,
    backbone: str | None = None,
    data: str | None = None,
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = None,
    checkpoints: Path = CHECKPOINTS,
    runs: Path = RUNS,
    traces: Path = TRACES,
    answers: Path = ANSWERS,
) -> dict:
    """Trains what a recipe says and returns its run record.

    Args:
        seed: train this seed only (some recipes list several). A pre-training with another seed than the
            recipe's bears that in its name.
        backbone: any BERT, by folder or hub name, in place of the recipe's.
        data: a file, a folder or a hub name as `load_corpus` takes it, in place of the recipe's.
        text, text_pair, label: the names of its columns; `text_pair` is for pairs of texts only.
        checkpoints, runs, traces, answers: the folders that receive the results. What is trained with another
            backbone or on other data bears their names, so that it replaces nothing of the course; if one
            seed is asked for, its checkpoint is kept, whichever it is.

    Raises:
        ValueError: an option that means nothing for this recipe.
    """
    recipe = read_recipe(name_or_file)
    columns = {"text": text, "text_pair": text_pair, "label": label}
    options = {"seed": seed, "backbone": backbone, "data": data, **columns}
    for option in set(options) - set(OPTIONS[recipe["stage"]]):
        if options[option] is not None:
            raise ValueError(f"a recipe of stage {recipe['stage']!r} takes no --{option.replace('_', '-')}")
    replaced = [key for key in ("backbone", "data") if options[key] not in (None, recipe.get(key))]
    for key in replaced:
        recipe |= {key: options[key], "name": f"{recipe['name']}-{name_part(options[key])}"}
    if "data" in replaced:  # the recipe's columns are those of its own data
        recipe = {key: value for key, value in recipe.items() if key not in COLUMNS}
    recipe |= {key: options[key] for key in sorted(COLUMNS) if options[key] is not None}

    if recipe["stage"] == "pretrain":
        if seed not in (None, recipe["seed"]):
            recipe |= {"seed": seed, "name": f"{recipe['name']}-seed{seed}"}
        return pretrain(recipe, checkpoints, runs)
    if recipe["stage"] == "baseline":
        corpus = load_corpus(recipe["data"], **recipe_columns(recipe))
        return train_baseline(corpus, recipe["name"], runs, answers)
    seeds = recipe["seeds"] if seed is None else [seed]
    if recipe["stage"] == "fastbert":
        kept = seed if replaced and seed is not None else recipe["seeds"][0]
        keep = [recipe.get("keep", True) and each == kept for each in seeds]
        return [
            train_fastbert(recipe, *each, checkpoints, runs, traces) for each in zip(seeds, keep, strict=True)
        ][-1]
    if recipe["stage"] == "decoder":
        kept = recipe["seeds"][0]
        return [
            train_decoder(recipe, each, recipe.get("keep", True) and each == kept, checkpoints, runs)
            for each in seeds
        ][-1]
    if recipe["stage"] == "student":
        return [train_student(recipe, each, runs, answers) for each in seeds][-1]
    return [run_pruning_study(recipe, each, runs, answers) for each in seeds][-1]


def name_part(given: str) -> str:
    """What a backbone or data set adds to a run's name: "org/bert-v1.5" -> "org-bert-v1.5", "my.csv" -> "my".

    Of an absolute path only the last part counts; the folders above say nothing.
    """
    path = Path(given)
    if path.suffix.lower() in FORMATS:
        path = path.with_suffix("")
    parts = [path.name] if path.is_absolute() else path.parts
    return re.sub(r"[^\w.-]+", "-", "-".join(part for part in parts if part != ".."))


def reproduce_order() -> list[str]:
    """All recipes of the course, each after the ones whose checkpoints it needs."""
    recipes = {path.stem: read_recipe(path.stem) for path in sorted(RECIPES.glob("*.toml"))}
    recipes = {name: recipe for name, recipe in recipes.items() if recipe.get("reproduce", True)}
    needs = {
        name: {recipe.get(key) for key in BEGINS_WITH} & recipes.keys() for name, recipe in recipes.items()
    }
    return list(TopologicalSorter(needs).static_order())


def reproduce() -> None:
    """Trains all recipes of the course; after an interruption, those that it had not finished yet."""
    note = UNFINISHED / "reproduced.json"
    done = json.loads(note.read_text("utf-8")) if note.is_file() else []
    for name in reproduce_order():
        for seed in read_recipe(name).get("seeds", [None]):
            if [name, seed] not in done:
                run_recipe(name, seed)
                done.append([name, seed])
                note.parent.mkdir(parents=True, exist_ok=True)
                note.write_text(json.dumps(done))
    note.unlink()


def recorded_minutes(recipe: dict, runs: Path = RUNS) -> tuple[float, bool] | None:
    """How long a recipe takes, all seeds together, by its run records; None where there is none yet.

    Returns:
        The minutes, and whether every seed has a record; one that has none is taken to last as long as
        the others.
    """
    names = (
        [f"{recipe['name']}-seed{seed}" for seed in recipe["seeds"]]
        if "seeds" in recipe
        else [recipe["name"]]
    )
    seconds = [read_record(name, runs)["seconds"] for name in names if (runs / f"{name}.json").is_file()]
    if not seconds:
        return None
    return sum(seconds) / len(seconds) * len(names) / 60, len(seconds) == len(names)
