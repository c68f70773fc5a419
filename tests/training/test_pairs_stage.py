"""A recipe on pairs of texts: both stages, with and without adapters, from a user's file to its answers."""

import json
from itertools import permutations

import pytest
from datasets import Dataset
from tiny import tiny_backbone_folder, tiny_fastbert, tiny_pairs
from tiny_recipes import FASTBERT, folders
from transformers import DataCollatorWithPadding
from typer.testing import CliRunner

from course_lib.command.app import app
from course_lib.measures.trace import ExitTrace, load_traces
from course_lib.models.checkpoints import load_fastbert
from course_lib.texts.batches import tokenise
from course_lib.texts.tokenizers import train_characters
from course_lib.training.loop import LoopSettings, train
from course_lib.training.run import run_recipe


def course(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def pairs_file(tmp_path):
    rows = tiny_pairs(120)["train"]
    lines = [
        json.dumps({"ask": row["text"], "reply": row["text_pair"], "label": row["label"]}) for row in rows
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines), "utf-8")
    return tmp_path / "pairs.jsonl"


@pytest.mark.parametrize("lora", ["", "lora_rank = 2\n"])
def test_from_a_file_to_a_checkpoint_that_knows_it_reads_pairs(small, pairs_file, lora):
    tiny_backbone_folder(small / "backbone")
    text = FASTBERT.replace("BACKBONE", str(small / "backbone")).replace("[finetune]", f"[finetune]\n{lora}")
    (small / "mine.toml").write_text(text)
    columns = {"text": "ask", "text_pair": "reply"}
    record = run_recipe(small / "mine.toml", seed=1, data=str(pairs_file), **columns, **folders(small))
    assert record["recipe"]["text_pair"] == "reply"
    name = record["recipe"]["name"]
    model, tokenizer = load_fastbert(small / "checkpoints" / name)
    assert model.config.sentence_pairs
    data = ("--data", pairs_file, "--text", "ask", "--text-pair", "reply", "--json")
    folder = small / "checkpoints" / name
    found = json.loads(course("evaluate", "--model", folder, *data).stdout)
    trace = load_traces(name, "test", small / "traces")[0]
    assert found["accuracy_by_layer"] == pytest.approx(trace.accuracy_by_layer.tolist(), abs=0.05)
    answer = json.loads(course("predict", "丁", "--pair", "丁七", "--model", folder, "--json").stdout)
    assert answer["text_pair"] == "丁七" and len(answer["layers"]) == model.config.num_hidden_layers


def test_a_model_of_pairs_refuses_single_texts_and_the_other_way_round(small, pairs_file):
    single = course("predict", "很好", "--pair", "太差")
    assert single.exit_code == 2 and "reviews-fastbert was trained on single texts" in single.output
    data = ("--data", pairs_file, "--text", "ask", "--text-pair", "reply")
    evaluated = course("evaluate", *data)
    assert evaluated.exit_code == 2 and "reviews-fastbert was trained on single texts" in evaluated.output
    tiny_backbone_folder(small / "backbone")
    (small / "mine.toml").write_text(FASTBERT.replace("BACKBONE", str(small / "backbone")))
    trained = course("train", small / "mine.toml", "--seed", 1, *data, "--out", small / "out", "--json")
    assert trained.exit_code == 0, trained.output
    folder = next((small / "out" / "checkpoints").iterdir())
    for arguments, remedy in (
        (("predict", "很好", "--model", folder), "give the second with --pair"),
        (("evaluate", "--model", folder, "--data", pairs_file, "--text", "ask"), "--text-pair NAME"),
        (("predict", "很好", "--pair", " ", "--model", folder), "the sentence is empty"),
    ):
        refused = course(*arguments)
        assert refused.exit_code == 2 and remedy in " ".join(refused.output.split()), refused.output


def test_n_grams_of_pairs_are_those_of_both(small, pairs_file):
    columns = {"text": "ask", "text_pair": "reply"}
    record = run_recipe("reviews-tfidf", data=str(pairs_file), **columns, **folders(small))
    assert 0.2 < record["metrics"]["test"] < 0.8  # which of the passages it is, no n-gram tells


def test_which_half_is_which_is_learned():
    """Each pair stands twice, with its halves swapped and another label: a bag of tokens cannot tell."""
    rows = [(first, second, int(first < second)) for first, second in permutations("一七万丈三", 2)]
    texts, pairs, labels = zip(*rows, strict=True)
    corpus = Dataset.from_dict({"text": texts, "text_pair": pairs, "label": labels})
    tokenizer = train_characters(texts, vocab_size=20, max_length=12)
    model = tiny_fastbert(1, num_labels=2, vocab_size=len(tokenizer), initializer_range=0.1)
    model.set_stage("finetune").train()
    settings = LoopSettings(learning_rate=1e-2, steps=60, tokens_per_batch=512, bf16=False)
    train(model, tokenise(corpus, tokenizer), DataCollatorWithPadding(tokenizer), settings)
    assert ExitTrace.of(model, tokenizer, corpus).accuracy_by_layer[-1] > 0.9
