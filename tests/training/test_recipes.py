"""Recipes are looked over before anything runs: every slip is one sentence that says where and what."""

import pytest
import tiny_recipes as toml

from course_lib.paths import RECIPES
from course_lib.training.recipes import checked_recipe, read_recipe

LOOP = {"steps": 2, "learning_rate": 1e-3}
FASTBERT = {
    "name": "mine",
    "stage": "fastbert",
    "data": "reviews",
    "backbone": "reviews-backbone",
    "seeds": [1],
    "model": {"exit_hidden_size": 8},
    "finetune": LOOP,
    "distil": LOOP,
}
TOKENIZER = {"kind": "characters", "vocab_size": 300, "max_length": 24}
PHASE = {"layers": 3, "corpora": {"reviews": 1}, **LOOP}
PRETRAIN = {"name": "mine", "stage": "pretrain", "seed": 1, "phases": [PHASE]}
FROM_NOTHING = {**PRETRAIN, "tokenizer": TOKENIZER, "model": {"hidden_size": 16}}
PRUNING = {
    "name": "mine",
    "stage": "pruning",
    "data": "reviews",
    "backbone": "reviews-backbone",
    "seeds": [1],
    "cut": [],
    "tuned": [6],
    "finetune": LOOP,
}


def without(table: dict, key: str) -> dict:
    return {name: value for name, value in table.items() if name != key}


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_of_the_course_is_valid(path):
    assert read_recipe(path)["name"] == path.stem


@pytest.mark.parametrize("content", [b"seeds = [1\nstage", "# 配方".encode("gb18030")])
def test_a_file_that_is_no_toml(tmp_path, content):
    (tmp_path / "mine.toml").write_bytes(content)
    with pytest.raises(ValueError, match="mine.toml is no TOML: "):
        read_recipe(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (toml.FASTBERT.replace("epochs = 2", "epoch = 2"), "no 'epoch'; did you mean 'epochs'"),
        (toml.FASTBERT.replace("[distil]", "[model2]"), "no 'model2'; did you mean 'model'"),
        (toml.FASTBERT.split("[distil]")[0], "needs 'distil'"),
        ("layer_dropp = { rate = 0.5 }" + toml.PRETRAIN, "no 'layer_dropp'; did you mean 'layer_drop'"),
        ("layer_drop = { rat = 0.5 }" + toml.PRETRAIN, r"\[layer_drop\] has no 'rat'; did you mean 'rate'"),
        ("layer_drop = { profile = 'linear' }" + toml.PRETRAIN, r"\[layer_drop\] needs 'rate'"),
        (
            "layer_drop = { rate = 'half' }" + toml.PRETRAIN,
            r"\[layer_drop\]: rate must be a number, not 'half'",
        ),
        ("layer_drop = 0.2" + toml.PRETRAIN, "layer_drop must be a table, not 0.2"),
        (toml.PRETRAIN.replace("seed = ", "keep = "), "'keep'; known: layer_drop, model,"),
        (toml.PRETRAIN.replace(toml.TOKENIZER, ""), "without a start or a teacher, a recipe needs"),
        (
            toml.PRUNING.replace("epochs = 1", "layer_drop = { rate = 0.2 }"),
            r"\[finetune\] has no 'layer_drop'",
        ),
        ("layer_drop = { rate = 1.5 }" + toml.PRETRAIN, r"must lie in \[0, 1\), not 1.5"),
        (
            toml.FASTBERT.replace("hide_tokens = 0.1", "layer_drop.unit = 'x'\nlayer_drop.rate = 0"),
            "unit must be one of",
        ),
        (toml.PRETRAIN.replace("layers = 1", "layer = 1"), "no 'layer'; did you mean 'layers'"),
        (toml.DECODER.replace("hidden_size", "hidden_sise"), "did you mean 'hidden_size'"),
        (toml.DECODER.replace("hidden_size = 16", "exits_per_step = 0"), "whole number above 0, not 0"),
        (toml.DECODER.replace("rate = 0.2", "rate = 2.0"), r"must lie in \[0, 1\), not 2.0"),
        (toml.DECODER.split("[distil]")[0], "needs 'distil'"),
        (toml.DECODER.replace("[finetune]", "[finetune]\nhide_tokens = 0.1"), "has no 'hide_tokens'"),
        ('data = "reviews"', "stage must be one of .* not None"),
    ],
)
def test_a_recipe_with_a_slip_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        toml.read_recipe_of(tmp_path, text)


@pytest.mark.parametrize("recipe", [FASTBERT, FROM_NOTHING, PRUNING], ids=lambda each: each["stage"])
def test_what_is_looked_over_stays_as_it_was(recipe):
    """The identity of a run is made of the recipe."""
    assert checked_recipe(recipe) is recipe


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (FASTBERT | {"seeds": []}, r"mine: seeds must be a list of one or more whole numbers, not \[\]"),
        (FASTBERT | {"seeds": 1}, "mine: seeds must be a list of one or more whole numbers, not 1"),
        (FASTBERT | {"seeds": [True]}, "mine: seeds must be a list"),
        (FASTBERT | {"data": 3}, "mine: data must be a text in quotes, not 3"),
        (FASTBERT | {"keep": "no"}, "mine: keep must be true or false, not 'no'"),
        (FASTBERT | {"distil": 3}, "mine: distil must be a table, not 3"),
        (PRETRAIN | {"seed": "1"}, "mine: seed must be a whole number, not '1'"),
        (FROM_NOTHING | {"phases": []}, "mine: phases must be a list of tables"),
        (FROM_NOTHING | {"phases": PHASE}, "mine: phases must be a list of tables"),
        (PRUNING | {"cut": 6}, "mine: cut must be a list of numbers of layers, not 6"),
        (PRUNING | {"tuned": [0]}, r"mine: tuned must be a list of numbers of layers, not \[0\]"),
    ],
)
def test_a_value_of_the_wrong_kind(recipe, message):
    with pytest.raises(ValueError, match=message):
        checked_recipe(recipe)


@pytest.mark.parametrize("table", ["finetune", "distil", "phases"])
@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ({"learning_rate": "1e-3"}, "learning_rate must be a number, not '1e-3'"),
        ({"learning_rate": 0}, "learning_rate must be above 0, not 0"),
        ({"epochs": 2}, "give steps or epochs, and not both"),
        ({"steps": -5}, "steps must be a whole number above 0, not -5"),
        ({"steps": 2.5}, "steps must be a whole number above 0, not 2.5"),
        ({"clip": -1}, "clip must be above 0, not -1"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0, not -0.1"),
        ({"bf16": 1}, "bf16 must be true or false, not 1"),
        ({"learning_rate": None}, "needs 'learning_rate'"),
    ],
)
def test_settings_of_the_loop(table, loop, message):
    base = FROM_NOTHING if table == "phases" else FASTBERT
    before = base[table][0] if table == "phases" else base[table]
    settings = {key: value for key, value in {**before, **loop}.items() if value is not None}
    with pytest.raises(ValueError, match=rf"mine: \[{table}\]:? {message}"):
        checked_recipe(base | {table: [settings] if table == "phases" else settings})


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (PHASE | {"corpora": {"review": 1}}, r"mine: \[corpora\] has no 'review'; did you mean 'reviews'"),
        (PHASE | {"corpora": {"reviews": 0}}, r"mine: \[corpora\]: reviews must be a whole number above 0"),
        (PHASE | {"corpora": {}}, r"mine: \[phases\]: corpora must be a table that names a corpus"),
        (without(PHASE, "corpora"), r"mine: \[phases\] needs 'corpora'"),
        (without(PHASE, "layers"), r"mine: \[phases\] needs 'layers'"),
    ],
)
def test_phases(phase, message):
    with pytest.raises(ValueError, match=message):
        checked_recipe(FROM_NOTHING | {"phases": [PHASE, phase]})


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (FASTBERT | {"model": {"exit_hiden_size": 8}}, "did you mean 'exit_hidden_size'"),
        (FASTBERT | {"model": {"vocab_size": 8}}, r"\[model\] has no 'vocab_size'"),
        (FASTBERT | {"model": {"hidden_size": -3}}, "hidden_size must be a whole number above 0, not -3"),
        (FASTBERT | {"model": {"hidden_dropout_prob": "0.1"}}, r"\[model\] .*'hidden_dropout_prob'"),
        (FROM_NOTHING | {"model": {"exit_hidden_size": 8}}, r"\[model\] has no 'exit_hidden_size'"),
        (FROM_NOTHING | {"model": {"num_hidden_layers": 8}}, r"\[model\] has no 'num_hidden_layers'"),
        (FROM_NOTHING | {"tokenizer": TOKENIZER | {"max_len": 8}}, "did you mean 'max_length'"),
        (FROM_NOTHING | {"tokenizer": without(TOKENIZER, "kind")}, r"\[tokenizer\] needs 'kind'"),
        (FROM_NOTHING | {"tokenizer": TOKENIZER | {"max_length": "8"}}, "max_length must be a whole number"),
    ],
)
def test_model_and_tokenizer(recipe, message):
    with pytest.raises(ValueError, match=message):
        checked_recipe(recipe)


STEP_BY_STEP = {**LOOP, "step_by_step": True}


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (PRETRAIN | {"start": "a", "teacher": "b"}, "mine: give start or teacher, and not both"),
        (FROM_NOTHING | {"start": "a"}, r"leave out \[model\]: the checkpoint of 'start' brings its own"),
        (PRETRAIN | {"teacher": "a", "tokenizer": TOKENIZER}, r"leave out \[tokenizer\]: .* of 'teacher'"),
        (FASTBERT | {"finetune": STEP_BY_STEP | {"hide_tokens": 0.1}}, "hide_tokens goes unheeded beside"),
        (FASTBERT | {"backbone": "a", "model": {"num_hidden_layers": 3}}, "leave out num_hidden_layers"),
        (FASTBERT | {"finetune": STEP_BY_STEP | {"joint": True}}, "joint goes unheeded beside step_by_step"),
    ],
)
def test_keys_of_which_one_would_be_ignored(recipe, message):
    with pytest.raises(ValueError, match=message):
        checked_recipe(recipe)


def test_keys_that_only_look_as_if_one_were_ignored():
    checked_recipe(FASTBERT | {"finetune": {**LOOP, "step_by_step": False, "hide_tokens": 0.1}})
    checked_recipe(FASTBERT | {"finetune": STEP_BY_STEP | {"hide_tokens": 0.0}})
