"""The identity of a run: its recipe, its data, and the weights it begins with."""

from tiny_recipes import FASTBERT, PRETRAIN, folders, read_recipe_of

from course_lib.training.provenance import identity
from course_lib.training.run import run_recipe


def test_a_run_on_other_weights_is_not_taken_up(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    recipe = read_recipe_of(small, FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone")))
    before = identity(recipe, "data")
    assert identity(recipe, "data") == before != identity(recipe, "other data")
    (small / "backbone.toml").write_text(PRETRAIN.replace("seed = 1", "seed = 2"))
    run_recipe(small / "backbone.toml", **folders(small))
    assert identity(recipe, "data") != before
