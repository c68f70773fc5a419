"""Pairs through FastBERT: the halves are told apart, padding changes nothing, misuse is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_fastbert, tiny_pairs
from transformers import BertConfig, BertModel, DataCollatorWithPadding, pipeline

from course_lib.measures.bench import bench_exits
from course_lib.measures.trace import ExitTrace
from course_lib.models.pool import predict_pooled
from course_lib.models.similarity import block_influence
from course_lib.texts.batches import encode
from course_lib.texts.tokenizers import train_characters

PAIRS = tiny_pairs()
TOKENIZER = train_characters(PAIRS["train"]["text_pair"], vocab_size=60, max_length=24)
ENCODED = encode(PAIRS["test"], TOKENIZER)
CALLS = {
    "predict": lambda model, **inputs: model.predict(**inputs),
    "forward": lambda model, **inputs: model(**inputs),
    "layer_logits": lambda model, **inputs: model.layer_logits(**inputs),
}


def tiny(layers=4, **changes):
    return tiny_fastbert(layers, num_labels=2, vocab_size=len(TOKENIZER), **changes)


def batch(rows=ENCODED):
    return dict(DataCollatorWithPadding(TOKENIZER)(rows))


def test_the_layers_are_those_of_bert_with_token_types():
    model, inputs = tiny(), batch()
    plain = BertModel(BertConfig(**model.config.to_dict()), add_pooling_layer=False).eval()
    plain.load_state_dict(model.bert.state_dict())
    expected = plain(**inputs).last_hidden_state
    hidden, mask = model.layer_states(**inputs)[-1]
    torch.testing.assert_close(hidden[mask], expected[inputs["attention_mask"].bool()], atol=1e-5, rtol=1e-4)
    inputs["token_type_ids"] = torch.zeros_like(inputs["token_type_ids"])
    assert (plain(**inputs).last_hidden_state - expected).abs().max() > 0.1, "the types must say something"


@settings(max_examples=10)
@given(layers=st.integers(1, 4), batch_size=st.integers(1, 9), speed=st.floats(0, 1), seed=st.integers(0, 99))
def test_alone_in_a_batch_in_a_pool_or_by_the_trace_an_answer_is_the_same(layers, batch_size, speed, seed):
    model = tiny(layers, seed=seed)
    trace = ExitTrace.of(model, TOKENIZER, PAIRS["test"], tokens_per_batch=60)
    if (abs(trace.uncertainties[:-1] - speed) < 1e-4).any():
        return  # rounding may tip a pair whose uncertainty is the threshold itself
    exits = trace.at(speed)
    together = model.predict(**batch(), speed=speed)
    ids, types = ([row[name] for row in ENCODED] for name in ("input_ids", "token_type_ids"))
    pooled = predict_pooled(model, ids, batch_size, speed, token_types=types)
    for found in (together, pooled):
        assert found.exit_layer.tolist() == exits.exit_layer.tolist()
        assert found.logits.argmax(-1).tolist() == exits.predictions.tolist()
    for number in (0, 7, 33):
        alone = model.predict(**batch([ENCODED[number]]), speed=speed)
        torch.testing.assert_close(alone.logits[0], together.logits[number], atol=1e-4, rtol=1e-4)


def test_the_second_half_counts():
    """Swapped halves are another question."""
    model = tiny()
    one = ExitTrace.of(model, TOKENIZER, PAIRS["test"])
    names = {"text": "text_pair", "text_pair": "text"}
    other = ExitTrace.of(model, TOKENIZER, PAIRS["test"].rename_columns(names))
    assert abs(one.probabilities - other.probabilities).max() > 0.01


@pytest.mark.parametrize("call", CALLS)
def test_padding_on_the_left_is_refused(call):
    TOKENIZER.padding_side = "left"
    try:
        inputs = batch()
    finally:
        TOKENIZER.padding_side = "right"
    assert inputs["attention_mask"].min() == 0
    with pytest.raises(ValueError, match="begins with padding"):
        CALLS[call](tiny(), **inputs)


@pytest.mark.parametrize("call", CALLS)
def test_token_types_that_do_not_fit_are_refused(call):
    inputs = batch()
    types = inputs.pop("token_type_ids")
    for wrong in (types[:, :-1], types[0], types[:1]):
        with pytest.raises(ValueError, match="token_type_ids must have the shape of input_ids"):
            CALLS[call](tiny(), **inputs, token_type_ids=wrong)
    with pytest.raises(ValueError, match=r"must lie in 0\.\.1, not 0\.\.2"):
        CALLS[call](tiny(), **inputs, token_type_ids=2 * types)
    with pytest.raises(ValueError, match=r"must lie in 0\.\.0, not 0\.\.1: .*leave token_type_ids out"):
        CALLS[call](tiny(type_vocab_size=1), **inputs, token_type_ids=types)
    CALLS[call](tiny(type_vocab_size=1), **inputs)
    CALLS[call](tiny(), **inputs, token_type_ids=types)


def test_a_pool_wants_one_type_for_each_token():
    with pytest.raises(ValueError, match="one type for each token"):
        predict_pooled(tiny(), [[5, 6, 7]], token_types=[[0, 1]])


def test_position_ids_are_refused_and_not_needed():
    inputs = batch()
    positions = torch.arange(inputs["input_ids"].shape[1])[None]
    with pytest.raises(
        ValueError, match="does not know 'position_ids': positions are counted from the first"
    ):
        tiny()(**inputs, position_ids=positions)


def test_the_pipeline_of_transformers_takes_pairs():
    model = tiny()
    asked = [{"text": row["text"], "text_pair": row["text_pair"]} for row in PAIRS["test"]]
    found = pipeline("text-classification", model=model, tokenizer=TOKENIZER)(asked, batch_size=5)
    right = ExitTrace.of(model, TOKENIZER, PAIRS["test"]).probabilities[-1].max(-1)
    np.testing.assert_allclose([each["score"] for each in found], right, atol=1e-4)


def test_block_influence_and_the_clock_read_both_halves():
    model = tiny()
    inputs = batch()
    plain = block_influence(model, [inputs])
    without = block_influence(model, [{**inputs, "token_type_ids": 0 * inputs["token_type_ids"]}])
    assert plain != without
    benches = bench_exits(model, TOKENIZER, PAIRS["test"], batch_size=8, rounds=1)
    exits = ExitTrace.of(model, TOKENIZER, PAIRS["test"]).at(0.5)
    assert {round(bench.mean_layer, 6) for bench in benches} == {round(exits.mean_layer, 6)}
