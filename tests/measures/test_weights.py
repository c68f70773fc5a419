"""Where weights are, what room they take, and the three prices of one network."""

import pytest
import torch
from datasets import Dataset
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.cost import count_parameters, flops, full_flops, plain_parameters
from course_lib.measures.prices import three_prices
from course_lib.measures.weights import megabytes, weights_by_part

TOKENIZER = tiny_tokenizer(tiny_corpus())


def test_the_parts_are_all_there_is():
    model = tiny_fastbert()
    parts = weights_by_part(model)
    assert sum(parts.values()) == count_parameters(model)
    assert parts["heads"] == count_parameters(model.exits)
    assert weights_by_part(model.bert)["heads"] == 0, "a bare encoder has no head"


def test_what_is_no_bert_is_refused():
    with pytest.raises(ValueError, match="Linear is no BERT"):
        weights_by_part(torch.nn.Linear(2, 2))


def test_megabytes_of_bits():
    assert megabytes(2_000_000) == 8 and megabytes(2_000_000, bits=4) == 1


def test_students_are_no_part_of_the_plain_network():
    model = tiny_fastbert()
    assert plain_parameters(model) == count_parameters(model.bert) + count_parameters(model.exits[-1])


def test_three_prices_count_what_is_used():
    model, rows = tiny_fastbert(num_labels=2), tiny_corpus()["test"]
    found = three_prices(model, TOKENIZER, rows, keep=2, speed=1.0, sentences=10, rounds=2)
    assert list(found) == ["whole", "cut", "exits"]
    assert found["exits"].weights == count_parameters(model) > found["whole"].weights > found["cut"].weights
    assert found["exits"].layers == 1 and found["whole"].layers == 4 and found["cut"].layers == 2
    assert found["whole"].fewer_flops == found["whole"].quicker == 1
    lengths = [len(ids) for ids in TOKENIZER(list(rows["text"][:10]))["input_ids"]]
    assert found["whole"].flops == pytest.approx(full_flops(model.config, lengths).mean())
    assert found["exits"].flops == pytest.approx(flops(model.config, lengths, [1] * 10).mean())
    assert all(each.milliseconds > 0 and each.rounds == 2 for each in found.values())


def test_a_busy_machine_measures_fewer_rounds():
    rows = Dataset.from_dict({"text": tiny_corpus()["test"]["text"][:4]})
    model = tiny_fastbert(num_labels=2)
    found = three_prices(model, TOKENIZER, rows, keep=2, rounds=5, at_most=0.0)
    assert found["whole"].rounds == 1
