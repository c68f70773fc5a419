"""The pruning study, on a tiny network: it runs from end to end, and its record says what was cut."""

import json

import numpy as np
import pytest
import torch
from tiny import tiny_backbone_folder
from torch import nn
from transformers import AutoTokenizer, BertForMaskedLM, BertForSequenceClassification

from course_lib.measures.answers import load_right
from course_lib.models.pruning import prune
from course_lib.texts.batches import tokenise
from course_lib.texts.own_texts import from_files
from course_lib.training import pruning_study
from course_lib.training.pretrain import held_out_loss
from course_lib.training.run import run_recipe

RECIPE = """
stage = "pruning"
data = "{data}"
backbone = "{backbone}"
seeds = [1]
cut = {cut}
tuned = {tuned}
{more}
[finetune]
steps = 3
learning_rate = 1e-3
tokens_per_batch = 256
hide_tokens = 0.1
{heal}
"""
HEAL = "[heal]\nsteps = 2\nlearning_rate = 1e-3\ntokens_per_batch = 256"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    tiny_backbone_folder(folder / "backbone")
    lines = "\n".join(f"第{number}条很好,1\n第{number}条太差,0" for number in range(60))
    (folder / "mine.csv").write_text(f"text,label\n{lines}\n", encoding="utf-8")
    return folder


def study(folder, name, cut="[2, 1]", more="", tuned="[2]", heal=""):
    paths = {"data": folder / "mine.csv", "backbone": folder / "backbone"}
    text = RECIPE.format(**paths, cut=cut, more=more, tuned=tuned, heal=heal)
    (folder / f"{name}.toml").write_text(text)
    run_recipe(folder / f"{name}.toml", runs=folder, answers=folder)
    return json.loads((folder / f"{name}-seed1.json").read_text())


@pytest.fixture(scope="module")
def records(folder):
    return study(folder, "plain"), study(folder, "dropped", more="layer_drop = { rate = 0.5 }")


def test_every_strategy_is_measured_at_every_depth(records):
    for found in (record["metrics"] for record in records):
        assert set(found["cut"]) == {"every_other", "first", "search", "data_driven", "similarity"}
        for cuts in found["cut"].values():
            assert {keep: len(cut["layers"]) for keep, cut in cuts.items()} == {"2": 2, "1": 1}
        assert found["layers"] == 4
        assert set(found["masked_loss"]) == {"4", "2", "1"} and set(found["cut_then_tuned"]) == {"2"}
        assert found["parameters"]["4"] > found["parameters"]["2"] > found["parameters"]["1"]


def test_what_is_recorded_is_the_accuracy_of_the_network_that_was_cut(folder, monkeypatch):
    """The fine-tuned networks are caught on their way, cut by hand, and asked text by text."""
    caught, drops = [], []
    finetune = pruning_study._finetune

    def noted(model, tokenizer, rows, settings, layer_drop, *rest):
        finetune(model, tokenizer, rows, settings, layer_drop, *rest)
        caught.append((model, tokenizer))
        drops.append(layer_drop)

    monkeypatch.setattr(pruning_study, "_finetune", noted)
    found = study(folder, "caught", more="layer_drop = { rate = 0.5 }")["metrics"]
    (full, tokenizer), (two, _) = caught
    assert drops == [{"rate": 0.5}, None], "what is tuned after the cut is tuned without LayerDrop"
    rows = from_files(folder / "mine.csv")["test"]

    @torch.no_grad()
    def right(model):
        answers = [
            model(**tokenizer(text, return_tensors="pt")).logits.argmax().item() for text in rows["text"]
        ]
        return np.mean(np.array(answers) == rows["label"])

    assert found["accuracy"] == right(full) and found["cut_then_tuned"]["2"] == right(two)
    for strategy in found["cut"].values():
        for cut in strategy.values():
            assert cut["accuracy"] == right(prune(full, cut["layers"]))
    assert found["parameters"]["2"] == two.num_parameters()


def test_the_masked_loss_is_that_of_the_pre_trained_network_cut_by_hand(folder, records):
    tokenizer = AutoTokenizer.from_pretrained(folder / "backbone")
    masked = BertForMaskedLM.from_pretrained(folder / "backbone", dtype=torch.float32)
    layers = masked.bert.encoder.layer
    masked.bert.encoder.layer = nn.ModuleList([layers[0], layers[2]])  # every other of four
    texts = tokenise(from_files(folder / "mine.csv")["validation"].select_columns("text"), tokenizer)
    found = records[0]["metrics"]["masked_loss"]
    assert found["2"] == pytest.approx(held_out_loss(masked, tokenizer, texts), rel=1e-5)
    assert len(set(found.values())) == 3


def test_the_test_split_takes_no_part_in_choosing_layers(folder, monkeypatch):
    """The search asks for accuracies on validation texts; the drop rates are learned on training texts."""
    corpus = from_files(folder / "mine.csv")
    tokenizer = AutoTokenizer.from_pretrained(folder / "backbone")
    full = BertForSequenceClassification.from_pretrained(folder / "backbone", num_labels=2)
    seen = {"accuracy": set(), "loss": set()}
    answers_rightly, data_driven = pruning_study.answers_rightly, pruning_study.data_driven

    def noted_accuracy(model, tokenizer, rows):
        seen["accuracy"].update(rows["text"])
        return answers_rightly(model, tokenizer, rows)

    def noted_data_driven(model, loss, *rest, **options):
        def note(_module, _inputs, given):
            texts = tokenizer.batch_decode(given["input_ids"], skip_special_tokens=True)
            seen["loss"].update(text.replace(" ", "") for text in texts)

        hook = model.register_forward_pre_hook(note, with_kwargs=True)
        chosen = data_driven(model, loss, *rest, **options)
        hook.remove()
        return chosen

    monkeypatch.setattr(pruning_study, "answers_rightly", noted_accuracy)
    monkeypatch.setattr(pruning_study, "data_driven", noted_data_driven)
    pruning_study._chosen_layers(full, tokenizer, corpus, {"cut": [2]}, seed=1)
    assert seen["accuracy"] == set(corpus["validation"]["text"])
    assert seen["loss"] == set(corpus["train"]["text"])
    assert set(corpus["test"]["text"]).isdisjoint(seen["accuracy"] | seen["loss"])


def test_runs_with_and_without_layerdrop_keep_their_unfinished_states_apart(folder, monkeypatch):
    folders = []
    monkeypatch.setattr(
        pruning_study, "train", lambda *_, resume_folder, **__: folders.append(resume_folder.name)
    )
    study(folder, "both", more="layer_drop = { rate = 0.5 }", tuned="[4, 2]")
    beginning = "both-seed1"
    assert folders == [
        f"{beginning}-4-layers",
        f"{beginning}-4-layers-without-LayerDrop",
        f"{beginning}-2-layers",
    ]
    folders.clear()
    study(folder, "neither", tuned="[4, 2]")
    assert folders == ["neither-seed1-4-layers", "neither-seed1-4-layers", "neither-seed1-2-layers"]


def test_layerdrop_trains_another_network(records):
    plain, dropped = (record["metrics"] for record in records)
    assert plain["masked_loss"] == dropped["masked_loss"]  # the same backbone
    assert plain["cut"] != dropped["cut"]


def test_too_many_layers_are_refused_before_anything_is_trained(folder, monkeypatch):
    monkeypatch.setattr(pruning_study, "train", lambda *_, **__: pytest.fail("it trained"))
    with pytest.raises(ValueError, match="between 1 and 4 can be kept, not 5"):
        study(folder, "odd", cut="[5]")


def test_what_is_cut_can_be_healed_and_every_answer_is_kept(folder, monkeypatch):
    """Each strategy's network goes on training from where it was cut, without LayerDrop."""
    begun, finetune = [], pruning_study._finetune

    def noted(model, tokenizer, rows, settings, layer_drop, *rest):
        begun.append((len(model.bert.encoder.layer), settings.get("steps"), layer_drop))
        finetune(model, tokenizer, rows, settings, layer_drop, *rest)

    monkeypatch.setattr(pruning_study, "_finetune", noted)
    drop = 'layer_drop = { rate = 0.5 }\nhealed = [2]\nstrategies = ["first", "similarity"]'
    found = study(folder, "healed", more=drop, tuned="[]", heal=HEAL)["metrics"]
    assert begun == [(4, 3, {"rate": 0.5}), (2, 2, None), (2, 2, None)]
    assert set(found["cut"]) == {"first", "similarity"} and found["cut_then_tuned"] == {}
    right = load_right("healed", 1, folder)
    rows = from_files(folder / "mine.csv")["test"]
    accuracies = {"whole": found["accuracy"]}
    for strategy in found["cut"]:
        accuracies |= {
            f"cut.{strategy}.{keep}": cut["accuracy"] for keep, cut in found["cut"][strategy].items()
        }
        accuracies[f"healed.{strategy}.2"] = found["cut_then_healed"][strategy]["2"]
    assert {title: each.mean() for title, each in right.items()} == accuracies
    assert all(each.shape == (len(rows),) for each in right.values())


def test_the_search_asks_few_texts_if_the_recipe_says_so(folder, monkeypatch):
    asked = []
    answers_rightly = pruning_study.answers_rightly
    monkeypatch.setattr(
        pruning_study, "answers_rightly", lambda *args: asked.append(len(args[2])) or answers_rightly(*args)
    )
    study(folder, "few", more='search_texts = 3\nstrategies = ["search"]')
    assert set(asked) == {3, len(from_files(folder / "mine.csv")["test"])}


@pytest.mark.parametrize(
    ("more", "heal", "message"),
    [
        ("healed = [2]", "", "healed needs a table \\[heal\\]"),
        ("healed = [3]", HEAL, "what is healed must be cut"),
        ('strategies = ["last"]', "", "strategies must be a list of ways to choose layers"),
    ],
)
def test_recipes_that_cannot_be_healed_are_refused(folder, more, heal, message):
    with pytest.raises(ValueError, match=message):
        study(folder, "refused", more=more, heal=heal)


def test_answers_that_are_not_there_say_how_to_get_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="course train pruning-x --seed 2"):
        load_right("pruning-x", 2, tmp_path)
