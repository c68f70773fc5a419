"""Inputs that would give wrong answers without a word: FastBERT refuses them, or answers as it should."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_batch, tiny_corpus, tiny_fastbert, tiny_tokenizer
from torch.nn.functional import cross_entropy
from transformers import BertForSequenceClassification, Trainer, TrainingArguments, pipeline

from course_lib.measures.trace import ExitTrace
from course_lib.models.fastbert import STAGES
from course_lib.models.pool import predict_pooled

IDS, MASK = tiny_batch([9, 3, 12])
LABELS = torch.tensor([2, 0, 1])
HALVES = [torch.float16, torch.bfloat16]


def still(**changes):
    """Without dropout, so that two passes in training mode are alike."""
    return tiny_fastbert(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **changes)


# --- half precision ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_is_not_trained(dtype, stage):
    model = tiny_fastbert().to(dtype).set_stage(stage).train()
    name = "exits.0" if stage == "distill" else "bert.embeddings"
    refused = pytest.raises(ValueError, match=rf"{name}.* is {dtype}: .*dtype=torch.float32.*model.float\(\)")
    with refused:
        model(IDS, MASK, labels=LABELS)
    with refused:
        model.set_stage(stage)
    loss = model.float()(IDS, MASK, labels=LABELS).loss
    loss.backward()
    assert loss.isfinite() and model.set_stage(stage) is model


@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_still_answers(dtype):
    model = tiny_fastbert().to(dtype)
    assert model(IDS, MASK, labels=LABELS).loss.isfinite()
    assert model.predict(IDS, MASK).logits.dtype == dtype
    with torch.no_grad():
        assert model.train()(IDS, MASK).logits.isfinite().all()


def test_frozen_weights_may_have_half_precision():
    """Nothing is added to them; adapters beside a large backbone are trained so."""
    model = still().set_stage("distill").train()
    for part in (model.bert, model.exits[-1]):
        part.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        model(IDS, MASK).loss.backward()
    assert model.exits[0].narrow.weight.grad.isfinite().all()


# --- padding on the left ----------------------------------------------------------------------------


def padded_left():
    """The batch IDS, MASK with each sentence at the right end."""
    lengths = MASK.sum(1).tolist()
    rows = [row.roll(-length, 0) for row, length in zip(IDS, lengths, strict=True)]
    masks = [row.roll(-length, 0) for row, length in zip(MASK, lengths, strict=True)]
    return torch.stack(rows), torch.stack(masks)


CALLS = {
    "predict": lambda model, ids, mask: model.predict(ids, mask),
    "forward": lambda model, ids, mask: model(ids, mask),
    "forward with labels": lambda model, ids, mask: model(ids, mask, labels=LABELS),
    "layer_logits": lambda model, ids, mask: model.layer_logits(ids, mask),
    "layer_states": lambda model, ids, mask: model.layer_states(ids, mask, None),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", [torch.long, torch.bool, torch.float32])
def test_a_sentence_that_begins_with_padding_is_refused(call, kind):
    ids, mask = padded_left()
    with pytest.raises(ValueError, match=r'begins with padding, .*padding_side = "right"'):
        CALLS[call](tiny_fastbert(), ids, mask.to(kind))
    CALLS[call](tiny_fastbert(), IDS, MASK.to(kind))


def test_a_sentence_that_is_nothing_but_padding_is_refused():
    mask = MASK.clone()
    mask[1] = 0
    for call in CALLS.values():
        with pytest.raises(ValueError, match="begins with padding"):
            call(tiny_fastbert(), IDS, mask)


@pytest.mark.parametrize("mask", [MASK[:, None, None], MASK[:, :-1], MASK[0], MASK.T])
def test_a_mask_of_another_shape_is_refused(mask):
    for call in CALLS.values():
        with pytest.raises(ValueError, match=r"attention_mask must have the shape of input_ids, \[3, 12\]"):
            call(tiny_fastbert(), IDS, mask)


def test_a_tokenizer_that_pads_left_is_refused_by_trace_and_pipeline():
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(2, num_labels=2, vocab_size=len(tokenizer))
    right = ExitTrace.of(model, tokenizer, corpus["test"])
    tokenizer.padding_side = "left"
    with pytest.raises(ValueError, match="begins with padding"):
        ExitTrace.of(model, tokenizer, corpus["test"])
    with pytest.raises(ValueError, match="begins with padding"):
        pipeline("text-classification", model=model, tokenizer=tokenizer)(["好", "一二坏"], batch_size=2)
    # Where all sentences have one length, there is nothing to pad.
    alone = ExitTrace.of(model, tokenizer, corpus["test"].select([3]))
    assert abs(alone.probabilities[:, 0] - right.probabilities[:, 3]).max() < 1e-5


@pytest.mark.parametrize("padded", [[0, 0, 7, 8], [7, 8, 0]])
def test_a_pool_is_given_sentences_without_padding(padded):
    model = tiny_fastbert()
    for sentences in ([[5, 6], padded], [torch.tensor([5, 6]), torch.tensor(padded)]):
        with pytest.raises(ValueError, match="sentence 1 is padded"):
            predict_pooled(model, sentences)
    assert predict_pooled(model, torch.tensor([[5, 6], [7, 8]])).logits.shape == (2, 3)


@pytest.mark.parametrize("ids", [IDS, padded_left()[0]])
def test_padding_without_a_mask_is_warned_about(ids, monkeypatch):
    """As transformers does it, whichever end it stands at."""
    said = []
    monkeypatch.setattr("transformers.modeling_utils.logger.warning_once", said.append)
    model = tiny_fastbert()
    model.predict(IDS[2:])  # nothing is padding
    assert not said
    model.predict(ids)
    assert len(said) == 1 and "passing in an `attention_mask`" in said[0]


# --- arguments of another BERT ----------------------------------------------------------------------


UNKNOWN = {
    "position_ids": (torch.arange(12)[None], "pad on the right"),
    "inputs_embeds": (torch.zeros(3, 12, 16), "takes input_ids, attention_mask, token_type_ids, labels"),
    "output_hidden_states": (True, "layer_states"),
    "output_attentions": (True, "do not keep their attention"),
    "past_key_values": (((torch.zeros(1),),), "takes input_ids"),
    "encoder_hidden_states": (torch.zeros(3, 4, 16), "takes input_ids"),
    "head_mask": (torch.ones(4, 2), "takes input_ids"),
    "label": (LABELS, "takes input_ids"),
    "speed": (0.5, "takes input_ids"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_argument_that_forward_does_not_know_is_refused(name):
    value, instead = UNKNOWN[name]
    model = tiny_fastbert()
    with pytest.raises(ValueError, match=f"does not know '{name}': .*{instead}"):
        model(IDS, MASK, **{name: value})
    expected = model(IDS, MASK).logits
    for asks_nothing in (None, False):
        assert torch.equal(model(IDS, MASK, **{name: asks_nothing}).logits, expected)


def test_forward_needs_tokens():
    with pytest.raises(ValueError, match="forward needs input_ids"):
        tiny_fastbert()()


def test_a_tuple_where_one_is_asked_for():
    model = tiny_fastbert()
    output = model(IDS, MASK, labels=LABELS, return_dict=True)
    loss, logits = model(IDS, MASK, labels=LABELS, return_dict=False)
    assert torch.equal(loss, output.loss) and torch.equal(logits, output.logits)
    model.config.return_dict = False
    [logits] = model(IDS, MASK)
    assert torch.equal(logits, output.logits)


@pytest.mark.parametrize("stage", STAGES)
def test_the_trainers_added_up_batches_are_one_batch(tmp_path, stage):
    """Steps of 8 sentences, and of 3 + 3 + 2: the loss is averaged over all 8 either way."""
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    rows = corpus["train"].select(range(8)).map(lambda row: tokenizer(row["text"]), remove_columns="text")
    trained = {}
    for size, batches in ((8, 1), (3, 3)):
        arguments = TrainingArguments(
            tmp_path,
            max_steps=1,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=batches,
            optim="sgd",
            learning_rate=0.1,
            max_grad_norm=0,
            lr_scheduler_type="constant",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            save_strategy="no",
        )
        model = still(num_hidden_layers=2, num_labels=2, vocab_size=len(tokenizer)).set_stage(stage)
        Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer).train()
        trained[size] = model.state_dict()
    for name, wanted in trained[8].items():
        torch.testing.assert_close(trained[3][name], wanted, atol=1e-5, rtol=1e-5, msg=name)


# --- labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["finetune", "joint"])
@pytest.mark.parametrize("kind", [torch.long, torch.int32, torch.int16, torch.uint8])
@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3)])
def test_labels_are_flattened_as_by_transformers_bert(stage, kind, shape):
    model = tiny_fastbert()
    answers = model.layer_logits(IDS, MASK) if stage == "joint" else model(IDS, MASK).logits[None]
    expected = torch.stack([cross_entropy(each, LABELS) for each in answers]).mean()
    found = model.set_stage(stage)(IDS, MASK, labels=LABELS.view(shape).to(kind)).loss
    torch.testing.assert_close(found, expected)
    if kind == torch.long and stage == "finetune":
        bert = BertForSequenceClassification(model.config).eval()
        losses = [bert(IDS, MASK, labels=labels).loss for labels in (LABELS, LABELS.view(shape))]
        assert torch.equal(*losses)


@pytest.mark.parametrize(
    "labels",
    [
        torch.tensor([[1.0, 0.0, 1.0]] * 3),  # several classes at once
        torch.tensor([[1, 0, 1]] * 3),
        torch.tensor([0.3, 1.0, 2.0]),  # a number to be guessed
        torch.tensor([0, 1]),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
def test_labels_of_another_task_are_refused(labels, stage):
    with pytest.raises(ValueError, match="labels must be whole numbers, one class for each of the 3"):
        tiny_fastbert().set_stage(stage)(IDS, MASK, labels=labels)


@pytest.mark.parametrize("task", ["multi_label_classification", "regression"])
def test_another_task_is_refused_where_it_is_asked_for(task, tmp_path):
    with pytest.raises(ValueError, match=f"problem_type='{task}' is another task.*problem_type=None"):
        tiny_fastbert(problem_type=task)
    model = tiny_fastbert(problem_type="single_label_classification")
    model.config.problem_type = task
    with pytest.raises(ValueError, match=f"problem_type='{task}' is another task"):
        model(IDS, MASK, labels=LABELS)
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"problem_type='{task}' is another task"):
        type(model).from_pretrained(tmp_path)
    assert type(model).from_pretrained(tmp_path, problem_type=None)(IDS, MASK, labels=LABELS).loss > 0


def test_one_class_is_none():
    with pytest.raises(ValueError, match="at least 2 classes, not num_labels=1"):
        tiny_fastbert(num_labels=1)


# --- transformers' order of arguments ----------------------------------------------------------------


def test_token_types_in_the_place_of_the_speed():
    model = tiny_fastbert()
    types = torch.zeros_like(IDS)
    with pytest.raises(ValueError, match=r"third argument of predict is the speed, .*\[3, 12\]; .* by name"):
        model.predict(IDS, MASK, types)
    with pytest.raises(ValueError, match="third argument of predict is the speed"):
        model.predict(IDS, types, MASK)  # in the tokenizer's order
    by_name = model.predict(input_ids=IDS, token_type_ids=types, attention_mask=MASK)
    assert torch.equal(by_name.logits, model.predict(IDS, MASK).logits)
    each = torch.tensor([0.2, 0.5, 0.7])
    assert torch.equal(model.predict(IDS, MASK, each).logits, model.predict(IDS, MASK, each.tolist()).logits)


# --- traced, exported, compiled ----------------------------------------------------------------------


class Answers(torch.nn.Module):
    """What is traced: a module with tensors in and out."""

    def __init__(self, model, answer):
        super().__init__()
        self.model, self.answer = model, answer

    def forward(self, ids, mask):
        return self.answer(self.model, ids, mask)


ANSWERS = {
    "forward": lambda model, ids, mask: model(ids, mask).logits,
    "layer_logits": lambda model, ids, mask: model.layer_logits(ids, mask),
    "joint loss": lambda model, ids, mask: model(ids, mask, labels=LABELS, stage="joint").loss,
}


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("example", [[5], [12], [12, 12, 12], [12, 4]])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("answer", ["forward", "layer_logits"])
def test_a_trace_keeps_the_mask(answer, attention, example):
    """Whatever was padding in the example: nothing (the usual one: a single sentence), or some."""
    module = Answers(tiny_fastbert(attn_implementation=attention), ANSWERS[answer])
    traced = torch.jit.trace(module, tiny_batch(example))
    for lengths in ([9, 3, 12], [4], [24, 2, 7, 7]):
        batch = tiny_batch(lengths, seed=1)
        torch.testing.assert_close(traced(*batch), module(*batch), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("answer", "attention", "strict"),
    [("forward", "sdpa", True), ("layer_logits", "sdpa", False), ("forward", "eager", False)],
)
def test_an_export_keeps_the_mask(answer, attention, strict):
    module = Answers(tiny_fastbert(attn_implementation=attention), ANSWERS[answer])
    sizes = {0: torch.export.Dim("B"), 1: torch.export.Dim("T", max=24)}
    exported = torch.export.export(
        module, tiny_batch([12, 12, 12]), dynamic_shapes=(sizes, sizes), strict=strict
    ).module()
    for lengths in ([9, 3, 12], [5, 20, 24, 2, 7]):
        batch = tiny_batch(lengths, seed=1)
        torch.testing.assert_close(exported(*batch), module(*batch), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("answer", ["forward", "joint loss"])
def test_compiled_without_a_break_it_keeps_the_mask(answer):
    module = Answers(tiny_fastbert(), ANSWERS[answer])
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    for lengths in ([12, 12, 12], [9, 3, 12]):
        batch = tiny_batch(lengths)
        torch.testing.assert_close(compiled(*batch), module(*batch), atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("way", [torch.jit.trace, torch.export.export])
def test_predict_is_not_traced(way):
    """It would keep for ever which sentences of the example left at which layer."""
    module = Answers(tiny_fastbert(), lambda model, ids, mask: model.predict(ids, mask).logits)
    with pytest.raises(ValueError, match="cannot be traced: trace forward"):
        way(module, (IDS, MASK))


@settings(max_examples=30)
@given(lengths=st.lists(st.integers(2, 24), min_size=1, max_size=6), seed=st.integers(0, 100))
def test_a_mask_of_ones_is_no_mask(lengths, seed):
    """What `padding_mask` leaves out changes nothing."""
    model = tiny_fastbert(seed=seed)
    ids, mask = tiny_batch(lengths, seed)
    for row, length in zip(ids, lengths, strict=True):
        alone = row[None, :length]
        assert torch.equal(model(alone, torch.ones_like(alone)).logits, model(alone).logits)
