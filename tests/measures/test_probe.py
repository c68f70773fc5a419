"""The probe: it reads an answer off a network's states, in the order of the texts, and trains no network."""

import numpy as np
import pytest
import torch
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.probe import mean_states, probe_accuracy

CORPUS = tiny_corpus(600)
TOKENIZER = tiny_tokenizer(CORPUS)


def test_states_are_means_over_a_texts_own_tokens():
    bert, texts = tiny_fastbert().bert, CORPUS["test"]["text"][:7]
    found = mean_states(bert, TOKENIZER, texts)
    for text, row in zip(texts, found, strict=True):
        ids = torch.tensor([TOKENIZER(text)["input_ids"]])
        with torch.no_grad():
            alone = bert(ids).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(row, alone, atol=1e-5)


def test_a_class_that_one_character_tells_can_be_read_off():
    bert = tiny_fastbert(num_hidden_layers=1).bert
    before = {name: weights.clone() for name, weights in bert.state_dict().items()}
    assert probe_accuracy(bert, TOKENIZER, CORPUS["train"], CORPUS["test"]) > 0.75
    assert all(torch.equal(weights, before[name]) for name, weights in bert.state_dict().items())


def test_a_class_that_nothing_tells_cannot():
    labels = np.random.default_rng(0).permutation(CORPUS["train"]["label"]).tolist()
    train = CORPUS["train"].remove_columns("label").add_column("label", labels)
    bert = tiny_fastbert(num_hidden_layers=1).bert
    assert probe_accuracy(bert, TOKENIZER, train, CORPUS["test"]) == pytest.approx(0.5, abs=0.3)
