"""Two thresholds: the trace of all windows says what the real run does, and counts what it costs."""

from dataclasses import replace

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_fastbert

from course_lib.measures.comparison import difference
from course_lib.measures.cost import exit_flops, layer_flops
from course_lib.measures.long_documents import head_only, reading, thresholds_for
from course_lib.measures.window_trace import WindowTrace
from course_lib.models.exit_rule import MEASURES
from course_lib.models.read_until_certain import POOLS, read_until_certain
from course_lib.texts.tokenizers import train_characters
from course_lib.texts.windows import windows

CHARACTERS = "一七万丈三上下不与丐丑专且丕世丘丙业丛东"
TOKENIZER = train_characters([CHARACTERS], vocab_size=60, max_length=24)


def documents(number: int, seed: int) -> Dataset:
    draw = np.random.default_rng(seed)
    texts = ["".join(draw.choice(list(CHARACTERS), draw.integers(1, 60))) for _ in range(number)]
    return Dataset.from_dict({"text": texts, "label": draw.integers(0, 3, number).tolist()})


def random_trace(seed=0, layers=4, number=60, classes=3) -> WindowTrace:
    draw = np.random.default_rng(seed)
    document = np.repeat(np.arange(number), draw.integers(1, 9, number))
    labels = draw.integers(0, classes, number)
    logits = draw.normal(0, 1, (layers, len(document), classes))
    logits[:, np.arange(len(document)), labels[document]] += np.linspace(0.5, 1.5, layers)[:, None]
    odds = np.exp(logits)
    return WindowTrace(
        probabilities=(odds / odds.sum(-1, keepdims=True)).astype(np.float32),
        labels=labels,
        lengths=draw.integers(3, 24, len(document)),
        document=document,
        config=tiny_fastbert(layers, classes).config,
    )


@settings(max_examples=12)
@given(
    enough=st.floats(0, 1),
    speed=st.floats(0, 1),
    pool=st.sampled_from(POOLS),
    measure=st.sampled_from(MEASURES),
    seed=st.integers(0, 99),
)
def test_the_real_run_does_what_the_trace_says(enough, speed, pool, measure, seed):
    model, rows = tiny_fastbert(3, vocab_size=len(TOKENIZER), seed=seed), documents(5, seed)
    trace = replace(WindowTrace.of(model, TOKENIZER, rows, tokens=12, overlap=2), pool=pool, measure=measure)
    doubts = trace._pooled_at(speed)[2]
    if (abs(trace.windows.uncertainties[:-1] - speed) < 1e-4).any() or (abs(doubts - enough) < 1e-4).any():
        return  # rounding may tip a window whose uncertainty is the threshold itself
    cut = windows(rows, TOKENIZER, 12, 2)
    run = read_until_certain(model, [cut.of(n) for n in range(len(rows))], enough, speed, measure, pool)
    found = trace.at(enough, speed)
    assert run.windows_read.tolist() == found.windows_read.tolist()
    assert run.tokens_read.tolist() == found.tokens_read.tolist()
    assert run.probabilities.argmax(-1).tolist() == found.predictions.tolist()
    for number, layers in enumerate(run.exit_layers):
        expected = found.exit_layer[trace.document == number]
        assert layers == expected[expected > 0].tolist() and sum(layers) == found.layers[number]


@pytest.mark.parametrize("pool", POOLS)
def test_the_thresholds_limits(pool):
    trace = replace(random_trace(), pool=pool)
    everything = trace.at(0, 0)
    assert everything.windows_read.tolist() == trace.sizes.tolist()
    assert everything.tokens_read.sum() == trace.lengths.sum()
    assert everything.layers.tolist() == (4 * trace.sizes).tolist()
    assert (everything.right == trace.at_depth(4)).all()
    one = trace.at(1, 1)
    assert one.windows_read.max() == 1 and one.layers.max() == 1
    per_layer = layer_flops(trace.config, trace.lengths) + exit_flops(trace.config, trace.lengths)
    np.testing.assert_allclose(one.flops, per_layer[trace.starts])
    np.testing.assert_allclose(everything.flops.sum(), 4 * per_layer.sum())


def test_the_grid_is_every_pair_of_thresholds():
    trace, enoughs, speeds = random_trace(), np.array([0.0, 0.4, 0.8]), np.array([0.0, 0.3, 0.9, 1.0])
    found = trace.grid(enoughs, speeds)
    for row, enough in enumerate(enoughs):
        for column, speed in enumerate(speeds):
            reading = trace.at(enough, speed)
            for key, table in found.items():
                assert table[row, column] == pytest.approx(np.mean(getattr(reading, key))), key
    assert (np.diff(found["windows_read"], axis=0) <= 0).all(), "sooner enough, fewer windows"


def test_pools_are_what_they_are_called():
    trace = random_trace()
    own = trace.probabilities[-1].astype(np.float64)  # [W, C]
    for number in (0, 7, 31):
        of_it = own[trace.document == number]
        mean, product = of_it.mean(0), of_it.prod(0) / of_it.prod(0).sum()
        last = np.flatnonzero(trace.document == number)[-1]
        np.testing.assert_allclose(trace._pooled_at(0)[1][last], mean, atol=1e-6)
        np.testing.assert_allclose(replace(trace, pool="product")._pooled_at(0)[1][last], product, atol=1e-6)


def test_parts_of_documents():
    trace = random_trace()
    places = np.arange(len(trace.document)) - trace.starts[trace.document]
    for part, kept in {"head": [0, 1, 2], "tail": [5, 6, 7], "both": [0, 1, 7]}.items():
        number = int((trace.sizes == 8).argmax())
        found = trace.chosen(3, part)
        expected = trace.lengths[(trace.document == number) & np.isin(places, kept)]
        assert found.lengths[found.document == number].tolist() == expected.tolist()
        assert len(found.labels) == len(trace.labels) and found.sizes.max() == 3
    assert trace.chosen(8).sizes.tolist() == trace.sizes.tolist()
    for bad in ({"count": 0}, {"count": 1, "part": "middle"}):
        with pytest.raises(ValueError, match="must be"):
            trace.chosen(**bad)


def test_both_rivals_spend_the_same():
    tests, validations = [random_trace(seed) for seed in (1, 2)], [random_trace(seed) for seed in (3, 4)]
    everything = np.mean([trace.at(0, 0).flops.mean() for trace in validations])
    pairs = thresholds_for(validations, 0.4 * everything)
    for trace, (enough, speed) in zip(validations, pairs, strict=True):
        assert trace.at(enough, speed).flops.mean() <= 0.4 * everything
    ours = reading(tests, *zip(*pairs, strict=True))
    for part in ("head", "tail", "both"):
        theirs = head_only(tests, ours.cost, part)
        np.testing.assert_allclose(theirs.cost, ours.cost)
        gain = difference(ours, theirs, draws=200)
        assert gain.low <= gain.mean <= gain.high
    full = head_only(tests, np.full(2, 1e18))
    assert full.right.tolist() == [trace.at_depth(4).astype(float).tolist() for trace in tests]
    cheapest = head_only(tests, np.zeros(2))
    assert cheapest.right.tolist() == [trace.chosen(1).at_depth(1).astype(float).tolist() for trace in tests]


def test_save_and_load(tmp_path):
    trace = random_trace()
    trace.save(tmp_path / "deep" / "windows.safetensors")
    again = WindowTrace.load(tmp_path / "deep" / "windows.safetensors")
    assert np.array_equal(again.document, trace.document)
    assert again.at(0.3, 0.5).flops.tolist() == trace.at(0.3, 0.5).flops.tolist()
    with pytest.raises(FileNotFoundError, match="no trace of windows"):
        WindowTrace.load(tmp_path / "none.safetensors")
    trace.windows.save(tmp_path / "texts.safetensors")
    with pytest.raises(ValueError, match="not a readable trace of windows"):
        WindowTrace.load(tmp_path / "texts.safetensors")


def test_bad_input():
    trace, model = random_trace(), tiny_fastbert(3, vocab_size=len(TOKENIZER))
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"enough is an uncertainty threshold in \[0, 1\]"):
            trace.at(bad, 0.5)
        with pytest.raises(ValueError, match=r"enough is an uncertainty threshold in \[0, 1\]"):
            read_until_certain(model, [[[2, 5, 3]]], bad)
    with pytest.raises(ValueError, match="pool must be one of mean, product, not 'vote'"):
        replace(trace, pool="vote")
    for document in (trace.document + 1, trace.document * 2, trace.document[::-1]):
        with pytest.raises(ValueError, match="numbered by their documents"):
            replace(trace, document=document)
    with pytest.raises(ValueError, match="windows of 60 documents, but 59 labels"):
        replace(trace, labels=trace.labels[:-1])
    for documents in ([], [[]], [[[2, 5, 3]], []]):
        with pytest.raises(ValueError, match="at least one"):
            read_until_certain(model, documents)
