"""`run_recipe` by its options, the names of what it leaves, and `reproduce`, which trains everything."""

import pytest
from tiny import tiny_backbone_folder
from tiny_recipes import FASTBERT, folders

from course_lib.measures.records import read_record, write_record
from course_lib.models.checkpoints import load_fastbert
from course_lib.training import run
from course_lib.training.run import run_recipe


def test_an_unknown_recipe_and_stage(small):
    with pytest.raises(FileNotFoundError, match="no recipe 'nothing'; there are: .*reviews-backbone"):
        run_recipe("nothing")
    (small / "odd.toml").write_text('stage = "guess"\n')
    with pytest.raises(ValueError, match="stage must be .* not 'guess'"):
        run_recipe(small / "odd.toml")


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("reviews-start", {"backbone": "x"}, "takes no --backbone"),
        ("reviews-tfidf", {"seed": 2}, "takes no --seed"),
        ("worlds-unaided", {"data": "reviews", "seed": 1}, "other data need a backbone"),
    ],
)
def test_options_without_a_meaning_are_refused(small, recipe, options, message):
    with pytest.raises(ValueError, match=message):
        run_recipe(recipe, **options, **folders(small))


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("bert-base-chinese", "bert-base-chinese"),
        ("org/bert-v1.5", "org-bert-v1.5"),
        ("org/bert-v1.6", "org-bert-v1.6"),
        ("other/bert-v1.5", "other-bert-v1.5"),
        ("my.csv", "my"),
        ("texts/my.v2.JSONL", "texts-my.v2"),
        ("../texts/我的 评论.csv", "texts-我的-评论"),
        ("/home/somebody/my.parquet", "my"),
        ("/home/somebody/bert-v1.5/", "bert-v1.5"),
    ],
)
def test_what_a_backbone_or_data_set_adds_to_a_name(given, part):
    assert run.name_part(given) == part


def test_a_dot_in_a_name_cuts_nothing_off(small):
    tiny_backbone_folder(small / "bert-v1.5")
    (small / "fast.toml").write_text(FASTBERT)
    run_recipe(small / "fast.toml", seed=1, backbone=str(small / "bert-v1.5"), **folders(small))
    assert load_fastbert(small / "checkpoints" / "fast-bert-v1.5")
    assert read_record("fast-bert-v1.5-seed1", small / "runs")["recipe"]["name"] == "fast-bert-v1.5"
    assert (small / "traces" / "fast-bert-v1.5-test.safetensors").is_file()


def test_reproduce_goes_on_where_it_was(small, monkeypatch):
    trained = []

    def train(name, seed):
        if len(trained) == 1:
            trained.append("broken off")
            raise KeyboardInterrupt
        trained.append((name, seed))

    monkeypatch.setattr(run, "reproduce_order", lambda: ["reviews-tfidf", "reviews-fastbert"])
    monkeypatch.setattr(run, "run_recipe", train)
    with pytest.raises(KeyboardInterrupt):
        run.reproduce()
    run.reproduce()
    expected = [("reviews-tfidf", None), *(("reviews-fastbert", seed) for seed in (1, 2, 3))]
    assert [each for each in trained if each != "broken off"] == expected


def test_reproduce_trains_a_backbone_before_what_stands_on_it():
    order = run.reproduce_order()
    assert order.index("reviews-backbone") < order.index("reviews-fastbert")


def test_minutes_of_a_recipe_by_its_records(tmp_path):
    recipe = {"name": "some", "seeds": [1, 2, 3]}
    assert run.recorded_minutes(recipe, tmp_path) is None
    for seed, seconds in ((1, 600), (3, 1200)):
        write_record(f"some-seed{seed}", {"seconds": seconds}, tmp_path)
    assert run.recorded_minutes(recipe, tmp_path) == (45, False)
    assert run.recorded_minutes(recipe | {"seeds": [1, 3]}, tmp_path) == (30, True)
    write_record("lone", {"seconds": 0}, tmp_path)
    assert run.recorded_minutes({"name": "lone"}, tmp_path) == (0, True)
