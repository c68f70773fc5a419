"""Recipes: the small TOML files that say how something is trained, looked over before anything runs."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path

from transformers import BertConfig

from course_lib.models.decoder import ExitDecoderConfig
from course_lib.models.fastbert import FastBertConfig
from course_lib.models.layerdrop import LayerDrop
from course_lib.paths import RECIPES
from course_lib.training.loop import LoopSettings

OPTIONS = {  # what `course train` may change in a recipe, stage by stage
    "pretrain": ("seed",),
    "baseline": ("data", "text", "text_pair", "label"),
    "fastbert": ("seed", "backbone", "data", "text", "text_pair", "label"),
    "pruning": ("seed", "backbone", "data", "text", "text_pair", "label"),
    "student": ("seed",),
    "decoder": ("seed",),
}
NEEDED = {  # what a recipe must say, stage by stage
    "pretrain": {"phases", "seed"},
    "baseline": {"data"},
    "fastbert": {"data", "seeds", "model", "finetune", "distil"},
    "pruning": {"data", "backbone", "seeds", "cut", "tuned", "finetune"},
    "student": {"data", "teacher", "seeds", "layers", "finetune"},
    "decoder": {"data", "seeds", "tokenizer", "model", "finetune", "distil"},
}
COLUMNS = {"text", "text_pair", "label"}  # the names of the columns in data of one's own
ALLOWED = {  # what it may say besides
    "pretrain": {"start", "teacher", "tokenizer", "model", "layer_drop"},
    "baseline": COLUMNS,
    "fastbert": {"backbone", "keep"} | COLUMNS,
    "pruning": {"layer_drop", "max_tokens", "strategies", "search_texts", "healed", "heal"} | COLUMNS,
    "student": COLUMNS,
    "decoder": {"keep"},
}
STRATEGIES = ("every_other", "first", "search", "similarity", "data_driven")  # of the pruning study
FROM_NOTHING = {"tokenizer", "model"}  # what pre-training must know that begins with random weights
LOOP = {field.name for field in fields(LoopSettings)} - {"seed"}
LAYER_DROP = {"rate", "unit", "profile"}
DECODER = {  # the tokenizer says the rest
    "hidden_size", "num_hidden_layers", "num_attention_heads", "n_inner", "activation_function",
    "initializer_range", "resid_pdrop", "embd_pdrop", "attn_pdrop", "exits_per_step", "kl_direction",
}  # fmt: skip
BERT = set(BertConfig.__annotations__) - {"vocab_size", "max_position_embeddings"}  # the tokenizer's
TABLES = {  # what its tables may say, stage by stage
    "pretrain": {
        "tokenizer": {"kind", "vocab_size", "max_length"},
        "model": BERT - {"num_hidden_layers", "pad_token_id"},  # the phases', and the tokenizer's
        "layer_drop": LAYER_DROP,
        "phases": LOOP | {"layers", "corpora"},
        "corpora": {"reviews", "newspaper"},
    },
    "baseline": {},
    "fastbert": {
        "model": BERT | set(FastBertConfig.__annotations__) - {"sentence_pairs"},  # the data tell
        "finetune": LOOP | {"joint", "hide_tokens", "step_by_step", "layer_drop", "lora_rank"},
        "distil": LOOP,
        "layer_drop": LAYER_DROP,
    },
    "pruning": {
        "finetune": LOOP | {"hide_tokens"},
        "heal": LOOP | {"hide_tokens"},
        "layer_drop": LAYER_DROP,
    },
    "student": {"finetune": LOOP},
    "decoder": {
        "tokenizer": {"kind", "vocab_size", "max_length"},
        "model": DECODER,
        "finetune": LOOP | {"joint", "layer_drop"},
        "distil": LOOP,
        "layer_drop": LAYER_DROP,
    },
}
NEEDED_IN = {  # what its tables must say
    "tokenizer": {"kind", "vocab_size", "max_length"},
    "phases": {"layers", "corpora", "learning_rate"},
    "finetune": {"learning_rate"},
    "heal": {"learning_rate"},
    "distil": {"learning_rate"},
    "layer_drop": {"rate"},
}


def _is_whole(value: object) -> bool:
    return type(value) is int  # True and False are whole numbers to isinstance


def _is_count(value: object) -> bool:
    return _is_whole(value) and value > 0


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _is_list(value: object, each: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(each, value))


KINDS = {  # what a value may be, in words, and how that is told
    "a text in quotes": lambda value: isinstance(value, str) and value != "",
    "true or false": lambda value: isinstance(value, bool),
    "a number": _is_number,
    "a whole number": _is_whole,
    "a whole number above 0": _is_count,
    "a list of one or more whole numbers": lambda value: _is_list(value, _is_whole) and value != [],
    "a list of ways to choose layers": lambda value: _is_list(value, lambda each: each in STRATEGIES),
    "a list of numbers of layers": lambda value: _is_list(value, _is_count),
    "a list of tables, each under [[phases]]": lambda value: isinstance(value, list) and value != [],
    "a table that names a corpus": lambda value: isinstance(value, dict) and value != {},
}
KIND_OF = {
    key: kind
    for kind, keys in {
        "a text in quotes": "data text text_pair label backbone start teacher kind schedule unit profile",
        "true or false": "keep reproduce bf16 joint step_by_step",
        "a number": "learning_rate exit_learning_rate exit_initializer_range warmup weight_decay clip "
        "hide_tokens rate",
        "a whole number": "seed",
        "a whole number above 0": "steps epochs tokens_per_batch layers vocab_size max_length "
        "reviews newspaper hidden_size num_hidden_layers num_attention_heads intermediate_size "
        "exit_hidden_size exit_num_heads max_tokens lora_rank n_inner exits_per_step search_texts",
        "a list of one or more whole numbers": "seeds",
        "a list of ways to choose layers": "strategies",
        "a list of numbers of layers": "cut tuned healed",
        "a list of tables, each under [[phases]]": "phases",
        "a table that names a corpus": "corpora",
    }.items()
    for key in keys.split()
}


def read_recipe(name_or_file: str | Path) -> dict:
    """A recipe by its name in data/recipes, or from a TOML file of your own.

    Raises:
        FileNotFoundError: there is none; the message lists those of the course.
        ValueError: the file is no TOML, or as `checked_recipe`.
    """
    path = Path(name_or_file)
    if path.suffix != ".toml":
        path = RECIPES / f"{name_or_file}.toml"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in RECIPES.glob("*.toml")))
        raise FileNotFoundError(f"no recipe {str(name_or_file)!r}; there are: {names}")
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:  # also a file that is not UTF-8
        raise ValueError(f"{path.name} is no TOML: {error}") from None
    return checked_recipe({"name": path.stem, **read})


def recipe_columns(recipe: dict) -> dict[str, str]:
    """The columns that a recipe names, as `load_corpus` takes them."""
    return {key: recipe[key] for key in sorted(COLUMNS & recipe.keys())}


def checked_recipe(recipe: dict) -> dict:
    """The recipe itself, if it can be trained as it is written.

    Raises:
        ValueError: a key is unknown (the message names the nearest one) or missing, a value is of the wrong
            kind or cannot be, or a key would go unheeded beside another one.
    """
    name, stage = recipe["name"], recipe.get("stage")
    if stage not in NEEDED:
        raise ValueError(f"{name}: stage must be one of {list(NEEDED)}, not {stage!r}")
    _refuse_unknown(recipe, NEEDED[stage] | ALLOWED[stage] | {"name", "stage", "reproduce"}, name)
    for table, each in _tables(recipe):
        _refuse_unknown(each, TABLES[stage][table], f"{name}: [{table}]")
    for key in sorted(NEEDED[stage] - recipe.keys()):
        raise ValueError(f"{name}: a recipe of stage {stage!r} needs {key!r}")
    _refuse_wrong_kind(recipe, name)
    for table, each in _tables(recipe):
        for key in sorted(NEEDED_IN.get(table, set()) - each.keys()):
            raise ValueError(f"{name}: [{table}] needs {key!r}")
        _refuse_wrong_kind(each, f"{name}: [{table}]")
        _refuse_impossible(table, each, name, stage)
    _refuse_unheeded(recipe, name)
    return recipe


def _tables(recipe: dict) -> Iterator[tuple[str, dict]]:
    """Every table of a recipe that `TABLES` names, with its name; also those inside another one."""
    names = {table for tables in TABLES.values() for table in tables}
    for table in (key for key in recipe if key in names):
        for each in recipe[table] if isinstance(recipe[table], list) else [recipe[table]]:
            if not isinstance(each, dict):
                raise ValueError(f"{recipe.get('name', 'recipe')}: {table} must be a table, not {each!r}")
            yield table, each
            yield from _tables(each)


def _refuse_unknown(table: dict, known: set[str], where: str) -> None:
    for key in sorted(table.keys() - known):
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        raise ValueError(f"{where} has no {key!r}; {hint}")


def _refuse_wrong_kind(table: dict, where: str) -> None:
    for key, value in table.items():
        kind = KIND_OF.get(key)
        if kind and not KINDS[kind](value):
            raise ValueError(f"{where}: {key} must be {kind}, not {value!r}")


def _refuse_impossible(table: str, values: dict, name: str, stage: str) -> None:
    """Values of the right kind that the loop, LayerDrop or the network's configuration will not have."""
    try:
        if table in ("phases", "finetune", "heal", "distil"):
            LoopSettings(**{key: value for key, value in values.items() if key in LOOP})
        elif table == "layer_drop":
            LayerDrop(**values)
        elif table == "model":
            (ExitDecoderConfig if stage == "decoder" else FastBertConfig)(**values)
    except Exception as error:  # the configuration has errors of its own kind, of several lines
        reason = " ".join(str(error).split())
        raise ValueError(f"{name}: [{table}] {reason}") from None


def _refuse_unheeded(recipe: dict, name: str) -> None:
    """Keys of which one would be read and the other silently not."""
    begins = sorted({"start", "teacher"} & recipe.keys())
    if len(begins) == 2:
        raise ValueError(f"{name}: give start or teacher, and not both; a student begins as its teacher")
    if recipe["stage"] == "pretrain" and not begins and not FROM_NOTHING <= recipe.keys():
        raise ValueError(f"{name}: without a start or a teacher, a recipe needs {sorted(FROM_NOTHING)}")
    for table in sorted(FROM_NOTHING & recipe.keys() if begins else ()):
        raise ValueError(f"{name}: leave out [{table}]: the checkpoint of {begins[0]!r} brings its own")
    if "backbone" in recipe and "num_hidden_layers" in recipe.get("model", {}):
        raise ValueError(f"{name}: leave out num_hidden_layers: the backbone brings its own number of layers")
    if "healed" in recipe and "heal" not in recipe:
        raise ValueError(f"{name}: healed needs a table [heal], which says how")
    if not set(recipe.get("healed", [])) <= set(recipe.get("cut", [])):
        raise ValueError(
            f"{name}: what is healed must be cut: {recipe['healed']} are not all in {recipe['cut']}"
        )
    finetune = recipe.get("finetune", {})
    for key in ("hide_tokens", "joint"):
        if finetune.get("step_by_step") and finetune.get(key):
            raise ValueError(
                f"{name}: [finetune] {key} goes unheeded beside step_by_step; leave one of them out"
            )
