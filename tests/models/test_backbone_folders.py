"""A backbone of one's own: a folder that lacks something is refused, never trained from nothing.

Each folder is one that people bring: saved without its tokenizer, from inside a wrapper, after tokens were
added; in older formats, it must still load.
"""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import tiny_backbone_folder, tiny_batch, tiny_corpus
from tiny_recipes import FASTBERT, folders, read_recipe_of
from transformers import AutoTokenizer, BertForMaskedLM

from course_lib.models.backbones import load_tokenizer, load_weights
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.masked_lm import MaskedLanguageModel
from course_lib.training.fastbert import new_fastbert
from course_lib.training.finetune import HiddenTokens
from course_lib.training.run import run_recipe

TEXT = "第1条很好"  # whose characters the backbone's tokenizer knows


@pytest.fixture
def folder(tmp_path):
    """A backbone of somebody else: without checksums."""
    found = tiny_backbone_folder(tmp_path / "backbone", layers=2)
    (found / "checksums.json").unlink()
    return found


def loaded(folder):
    model = load_weights(FastBertForSequenceClassification, folder, num_labels=2, exit_hidden_size=8)
    return model, load_tokenizer(folder, model.config)


def rename(folder, new_name):
    """Saves the weights again under other names; those whose new name is None are left out."""
    weights = load_file(folder / "model.safetensors")
    named = {new_name(name): value for name, value in weights.items() if new_name(name) is not None}
    save_file(named, folder / "model.safetensors", {"format": "pt"})


def without(folder, *names):
    for name in names:
        (folder / name).unlink()


# --- weights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "encoder.", "encoder.bert.", "_orig_mod.", "base_model.model."]
)
def test_weights_under_another_prefix_are_refused(folder, prefix):
    """`module.`: from DataParallel; `_orig_mod.`: from torch.compile; `base_model.model.`: from peft."""
    rename(folder, lambda name: prefix + name)
    with pytest.raises(ValueError, match=rf"lack 37 of the encoder's, bert\..*there is {prefix}.*must begin"):
        loaded(folder)


@pytest.mark.parametrize(
    ("name", "number"),
    [("encoder.layer.1.", 16), ("embeddings.", 5), ("encoder.layer.0.output.dense.bias", 1)],
)
def test_weights_without_a_part_of_the_encoder_are_refused(folder, name, number):
    rename(folder, lambda whole: None if f"bert.{name}" in whole else whole)
    with pytest.raises(ValueError, match=rf"lack {number} of the encoder's, bert\.{name}"):
        loaded(folder)


@pytest.mark.parametrize(
    "old",
    [
        lambda name: name.removeprefix("bert."),  # saved as a bare BertModel
        lambda name: "bert." + name,  # from inside a model of one's own that calls it `bert`
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ),  # from TensorFlow
    ],
)
def test_other_names_of_the_same_weights_are_taken(folder, old):
    expected = loaded(folder)[0].bert.state_dict()
    rename(folder, old)
    found = loaded(folder)[0].bert.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_the_encoder_is_the_backbones_and_exits_are_new_without_a_report(folder, caplog, capsys):
    model, _ = loaded(folder)
    bert = BertForMaskedLM.from_pretrained(folder)
    capsys.readouterr()
    for name, value in model.bert.state_dict().items():
        assert torch.equal(value, bert.bert.state_dict()[name]), name
    loaded(folder)
    assert capsys.readouterr() == ("", "") and not caplog.text


@pytest.mark.parametrize("task", ["multi_label_classification", "regression"])
def test_what_the_backbone_was_trained_for_is_forgotten(folder, tmp_path, task):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"problem_type": task, "num_labels": 1}))
    recipe = read_recipe_of(tmp_path, FASTBERT.replace("BACKBONE", str(folder)))
    model, _ = new_fastbert(recipe, tiny_corpus(), seed=1)
    ids, mask = tiny_batch([9, 3])
    loss = model(ids % 20, mask, labels=torch.tensor([0, 1])).loss
    assert model.config.problem_type is None and model.config.num_labels == 2 and loss > 0


# --- tokenizer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [None, {}, {"tokenizer_class": "BertTokenizer"}])
def test_weights_without_a_vocabulary_are_refused(folder, config):
    """transformers makes a tokenizer of five tokens, to which every character is [UNK]."""
    without(folder, "tokenizer.json", "tokenizer_config.json")
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"weights without a tokenizer: .*save_pretrained\(FOLDER\)"):
        loaded(folder)


@pytest.mark.parametrize("words", ["", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"])
def test_a_vocabulary_without_words_is_refused(folder, words):
    without(folder, "tokenizer.json", "tokenizer_config.json")
    (folder / "vocab.txt").write_text(words)
    with pytest.raises(ValueError, match="has no vocabulary; get its files anew"):
        loaded(folder)


def test_added_tokens_without_embeddings_are_refused(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["老板", "服务"])
    tokenizer.save_pretrained(folder)
    refused = r"tokenizer of .*backbone has 23 tokens, but the model embeddings for 21"
    with pytest.raises(ValueError, match=refused):
        loaded(folder)
    bert = BertForMaskedLM.from_pretrained(folder)
    bert.resize_token_embeddings(len(tokenizer))
    bert.save_pretrained(folder)
    model, _ = loaded(folder)
    assert model.predict(tokenizer("老板很好", return_tensors="pt")["input_ids"]).logits.shape == (1, 2)


def test_a_tokenizer_of_another_model_is_refused_if_it_knows_more(folder, tmp_path):
    from course_lib.texts.tokenizers import train_characters

    train_characters(["一二三四五六七八九十百千万亿东南西北"], 60, 24).save_pretrained(folder)
    with pytest.raises(ValueError, match="they do not belong together"):
        loaded(folder)


def test_the_old_form_of_a_vocabulary_is_taken(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected = tokenizer(TEXT)["input_ids"]
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    without(folder, "tokenizer.json", "tokenizer_config.json")
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    assert loaded(folder)[1](TEXT)["input_ids"] == expected


def test_fewer_tokens_than_embeddings_are_usual(folder):
    """Many a vocabulary is filled up to a round number."""
    bert = BertForMaskedLM.from_pretrained(folder)
    bert.resize_token_embeddings(32)
    bert.save_pretrained(folder)
    model, tokenizer = loaded(folder)
    assert model.config.vocab_size == 32 > len(tokenizer)


def test_a_tokenizer_that_pads_left_is_turned(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.padding_side = "left"
    tokenizer.save_pretrained(folder)
    model, tokenizer = loaded(folder)
    batch = tokenizer([TEXT, "好"], padding=True, return_tensors="pt")
    together = model.eval().predict(batch["input_ids"], batch["attention_mask"])
    alone = model.predict(tokenizer("好", return_tensors="pt")["input_ids"])
    torch.testing.assert_close(together.logits[1:], alone.logits, atol=1e-5, rtol=1e-5)


# --- what a run needs -------------------------------------------------------------------------------


BROKEN = {
    "no tokenizer": (
        lambda folder: without(folder, "tokenizer.json", "tokenizer_config.json"),
        "weights without a tokenizer",
    ),
    "wrapped": (lambda folder: rename(folder, lambda name: "module." + name), "lack 37 of the encoder's"),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("stage", ["fastbert", "pretrain"])
def test_no_run_begins_with_a_broken_folder(folder, tmp_path, monkeypatch, fault, stage):
    from course_lib.texts import corpora
    from course_lib.training import pretrain

    corpus = tiny_corpus(80)
    monkeypatch.setitem(corpora.CORPORA, "reviews", lambda: corpus)
    monkeypatch.setattr(pretrain, "reviews", lambda: corpus)
    monkeypatch.setattr(pretrain, "newspaper", lambda: corpus["train"].select_columns("text"))
    break_it, message = BROKEN[fault]
    break_it(folder)
    text = FASTBERT.replace("BACKBONE", str(folder))
    if stage == "pretrain":
        phase = "layers = 2\nsteps = 2\nlearning_rate = 1e-3\ntokens_per_batch = 64\ncorpora = {reviews = 1}"
        text = f'stage = "pretrain"\nstart = "{folder}"\nseed = 1\n[[phases]]\n{phase}\n'
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        run_recipe(tmp_path / "mine.toml", **folders(tmp_path))
    assert not any((tmp_path / "runs").glob("*")), "nothing was trained"


def test_tokens_are_hidden_behind_a_mask_that_exists(folder):
    """A tokenizer without [MASK], as of a GPT: hiding is refused, and training without hiding goes on."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(folder)
    model, tokenizer = loaded(folder)
    assert tokenizer.mask_token_id is None
    with pytest.raises(ValueError, match=r"hide_tokens needs a \[MASK\], .*: leave it out"):
        HiddenTokens(model, tokenizer.mask_token_id, 0.2)
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    plain = HiddenTokens(model.train(), tokenizer.mask_token_id, 0.0)
    assert plain(input_ids=ids, labels=torch.tensor([1])).loss > 0
    with pytest.raises(ValueError, match=r"puts \[MASK\] in the place of tokens, but"):
        MaskedLanguageModel(BertForMaskedLM.from_pretrained(folder), tokenizer)
