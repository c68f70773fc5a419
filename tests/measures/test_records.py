"""The run records of the course: made by today's recipes, on today's texts; and what a record says."""

import json

import pytest

from course_lib.measures.records import read_record, write_record
from course_lib.paths import RECIPES, RUNS
from course_lib.texts.corpora import CORPORA, UNLABELLED, load_corpus
from course_lib.texts.packages import FOLDER, PACKAGES
from course_lib.texts.reviews import newspaper, reviews
from course_lib.texts.shape import fingerprint
from course_lib.training.recipes import read_recipe

RECORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RUNS.glob("*.json"))}
# Lessons leave records without a recipe; what somebody trained besides has a recipe of no name here.
TRAINED = {
    name: record
    for name, record in RECORDS.items()
    if "recipe" in record and (RECIPES / f"{record['recipe']['name']}.toml").is_file()
}


@pytest.fixture(scope="module")
def fingerprints():
    """Of the texts as they are here; pre-training reads the reviews' training split alone."""
    named = {record["recipe"].get("data") for record in TRAINED.values()}
    fetched = UNLABELLED if (FOLDER / PACKAGES["chinese-poetry"].file).is_file() else {}
    return (
        {name: fingerprint(corpus()) for name, corpus in fetched.items() if name in named}
        | {name: fingerprint(load_corpus(name)) for name in CORPORA if name in named}
        | {
            "pretraining": {
                "reviews": fingerprint(reviews()["train"]),
                "newspaper": fingerprint(newspaper()),
            },
        }
    )


def test_the_course_has_records():
    stages = {read_recipe(record["recipe"]["name"])["stage"] for record in TRAINED.values()}
    assert stages >= {"pretrain", "baseline", "fastbert", "pruning"}


@pytest.mark.parametrize("name", TRAINED)
def test_a_record_was_made_by_the_recipe_of_today(name):
    """But for `seeds`: the list may grow, and other seeds' records stay what they are."""
    made_by = TRAINED[name]["recipe"]
    today = read_recipe(made_by["name"])
    if today["stage"] == "baseline":  # its record says in words what was fitted
        assert name == made_by["name"] == today["name"]
        return
    assert made_by | {"seeds": None} == today | {"seeds": None}
    if "seeds" in made_by:
        assert name == f"{made_by['name']}-seed{TRAINED[name]['seed']}"


@pytest.mark.parametrize("name", TRAINED)
def test_a_record_was_made_on_the_texts_of_today(name, fingerprints):
    today = read_recipe(TRAINED[name]["recipe"]["name"])
    data = today.get("data", "pretraining")
    if data in UNLABELLED and data not in fingerprints:
        pytest.skip(f"the texts are not fetched: course corpus {data}")
    assert TRAINED[name]["data"] == fingerprints[data]


def test_a_record_names_machine_and_versions(tmp_path):
    written = write_record("some", {"seconds": 3}, tmp_path)
    assert read_record("some", tmp_path) == written
    assert written["seconds"] == 3 and {"processor", "threads", "gpu"} <= set(written["machine"])
    assert {"torch", "transformers", "python"} <= set(written["versions"])
