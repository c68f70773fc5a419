"""ExitTrace: the same answers as the network gives, for every speed, from one run."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.measures.cost import flops, full_flops
from course_lib.measures.trace import ExitTrace
from course_lib.models.exit_rule import MEASURES
from course_lib.paths import TRACES


def random_trace(layers=4, sentences=50, classes=3, seed=0) -> ExitTrace:
    draw = np.random.default_rng(seed)
    return ExitTrace(
        probabilities=draw.dirichlet([0.4] * classes, (layers, sentences)).astype(np.float32),
        labels=draw.integers(0, classes, sentences),
        lengths=draw.integers(3, 24, sentences),
        config=tiny_fastbert(layers, classes).config,
    )


@pytest.mark.parametrize("speed", [0.0, 0.3, 0.6, 1.0, [0.2, 0.5, 0.9]])
def test_at_agrees_with_the_network(speed):
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    trace = ExitTrace.of(model, tokenizer, corpus["test"], tokens_per_batch=40)
    exits = trace.at(speed)
    inputs = tokenizer(list(corpus["test"]["text"]), padding=True, return_tensors="pt")
    output = model.predict(inputs["input_ids"], inputs["attention_mask"], speed)
    assert exits.exit_layer.tolist() == output.exit_layer.tolist()
    assert exits.predictions.tolist() == output.logits.argmax(-1).tolist()
    assert exits.accuracy == pytest.approx(
        (output.logits.argmax(-1) == torch.tensor(corpus["test"]["label"])).float().mean().item()
    )
    assert exits.histogram.sum() == len(corpus["test"]) and len(exits.histogram) == 4
    spent = flops(model.config, trace.lengths, exits.exit_layer).sum()
    assert exits.flops_speedup == pytest.approx(full_flops(model.config, trace.lengths).sum() / spent)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_agrees_with_the_network(measure):
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=7, vocab_size=len(tokenizer))  # top k looks at 5 of the 7
    trace = replace(ExitTrace.of(model, tokenizer, corpus["test"]), measure=measure)
    inputs = tokenizer(list(corpus["test"]["text"]), padding=True, return_tensors="pt")
    speed = float(np.median(trace.uncertainties[:-1]))
    output = model.predict(inputs["input_ids"], inputs["attention_mask"], speed + 1e-4, measure)
    exits = trace.at(speed + 1e-4)
    assert exits.exit_layer.tolist() == output.exit_layer.tolist()
    assert trace.sweep([speed + 1e-4])["mean_layer"] == pytest.approx(exits.mean_layer)
    leaving = trace.uncertainties[exits.exit_layer - 1, np.arange(len(exits.exit_layer))]
    np.testing.assert_allclose(leaving, output.uncertainty.numpy(), atol=1e-5)


def test_measures_differ_and_certain_answers_have_none():
    traces = [replace(random_trace(classes=7), measure=measure) for measure in MEASURES]
    assert len({trace.at(0.5).mean_layer for trace in traces}) == len(MEASURES)
    certain = np.zeros((4, 50, 7), dtype=np.float32)
    certain[..., 2] = 1
    for trace in traces:
        assert (replace(trace, probabilities=certain).uncertainties == 0).all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    layers=st.integers(1, 6),
    speeds=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12),
)
def test_sweep_is_at_for_every_speed(seed, layers, speeds):
    trace = random_trace(layers, sentences=20, seed=seed)
    curve = trace.sweep(np.array(speeds))
    for number, speed in enumerate(speeds):
        exits = trace.at(float(np.float32(speed)))
        for name in ("accuracy", "mean_layer", "flops_speedup"):
            assert curve[name][number] == pytest.approx(getattr(exits, name), rel=1e-9), (speed, name)


def test_limits():
    trace = random_trace()
    assert trace.at(0).mean_layer == 4
    assert trace.at(0).accuracy == pytest.approx(trace.accuracy_by_layer[-1])
    assert trace.at(0).flops_speedup < 1, "at speed 0 all exits are paid and nothing is saved"
    assert trace.at(1).mean_layer == 1


def test_budget_keeps_the_loss_and_saves_most():
    trace = random_trace(sentences=400)
    for loss in (0.0, 0.01, 0.5):
        speed = trace.budget(loss)
        exits = trace.at(speed)
        assert exits.accuracy >= trace.accuracy_by_layer[-1] - loss - 1e-9
        curve = trace.sweep(np.linspace(0, 1, 101))
        allowed = curve["accuracy"] >= trace.accuracy_by_layer[-1] - loss - 1e-9
        assert exits.flops_speedup >= curve["flops_speedup"][allowed].max() - 1e-9
    with pytest.raises(ValueError, match="max_loss"):
        trace.budget(-0.1)


def test_sweep_does_not_compare_everything_with_everything():
    """1,000 speeds over 100,000 x 12: one layer's comparisons alone would take 100 MB."""
    trace = random_trace(layers=12, sentences=100_000, classes=2)
    trace.uncertainties, trace.accuracy_by_layer  # noqa: B018  computed once, not part of a sweep
    speeds = np.linspace(0, 1, 1000, dtype=np.float32)
    tracemalloc.start()
    try:
        curve = trace.sweep(speeds)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 1e6 < peak < 50e6, "bytes that NumPy asked for"
    for number in (3, 500, 990):
        exits = trace.at(speeds[number])
        for name in ("accuracy", "mean_layer", "flops_speedup"):
            assert curve[name][number] == pytest.approx(getattr(exits, name), rel=1e-9), (number, name)


def test_save_and_load(tmp_path):
    trace = random_trace()
    trace.save(tmp_path / "deep" / "trace.safetensors")
    again = ExitTrace.load(tmp_path / "deep" / "trace.safetensors")
    assert np.array_equal(again.probabilities, trace.probabilities)
    assert again.at(0.4).flops_speedup == trace.at(0.4).flops_speedup


def test_bad_files_and_shapes(tmp_path):
    with pytest.raises(FileNotFoundError, match="course evaluate"):
        ExitTrace.load(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"not a trace at all")
    with pytest.raises(ValueError, match="course evaluate"):
        ExitTrace.load(tmp_path / "bad.safetensors")
    trace = random_trace()
    with pytest.raises(ValueError, match="50 sentences, but 49 labels"):
        ExitTrace(trace.probabilities, trace.labels[:-1], trace.lengths, trace.config)
    with pytest.raises(ValueError, match="3 layers of answers"):
        ExitTrace(trace.probabilities[:3], trace.labels, trace.lengths, trace.config)
    with pytest.raises(ValueError, match="measure must be one of entropy, .* not 'margin'"):
        replace(trace, measure="margin")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        trace.sweep(np.array([0.5, np.nan]))


def test_no_rows_are_refused():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    with pytest.raises(ValueError, match="at least one sentence, but there are no rows"):
        ExitTrace.of(model, tokenizer, corpus["test"].select([]))


def test_unequal_lengths_do_not_mix_up_sentences():
    """Batches are made by length; each answer must come back to its own place."""
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(num_labels=2, vocab_size=len(tokenizer))
    trace = ExitTrace.of(model, tokenizer, corpus["test"], tokens_per_batch=30)
    for row in (0, 7, 19):
        ids = tokenizer(corpus["test"]["text"][row], return_tensors="pt")["input_ids"]
        alone = model.layer_logits(ids)[:, 0].softmax(-1)
        np.testing.assert_allclose(trace.probabilities[:, row], alone.detach().numpy(), atol=1e-5)


def test_the_shipped_traces_name_no_folder_of_the_machine_that_made_them():
    files = sorted(TRACES.glob("*.safetensors"))
    assert files
    for file in files:
        assert ExitTrace.load(file).config._name_or_path == ""
