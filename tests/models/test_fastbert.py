"""FastBERT against transformers' BERT, against one sentence at a time, and against numbers by hand."""

import math
import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import SIZES, tiny_batch, tiny_corpus, tiny_fastbert, tiny_tokenizer
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertModel,
    Trainer,
    TrainingArguments,
    pipeline,
)

from course_lib.models.exit_rule import uncertainty
from course_lib.models.fastbert import FastBertForSequenceClassification, self_distillation_loss
from course_lib.paths import ROOT


def test_layers_are_berts():
    """At full depth every hidden state is BertModel's, padding or not."""
    model = tiny_fastbert()
    reference = BertModel(model.config, add_pooling_layer=False).eval()
    reference.load_state_dict(model.bert.state_dict())
    ids, mask = tiny_batch([9, 3, 24])
    expected = reference(ids, mask, output_hidden_states=True).hidden_states[1:]
    found = model.layer_states(ids, mask, None)
    for wanted, (hidden, _) in zip(expected, found, strict=True):
        torch.testing.assert_close(hidden[mask.bool()], wanted[mask.bool()], atol=1e-6, rtol=1e-6)


def test_exit_equals_attention_over_all_tokens():
    """Only [CLS] asks in an exit; asking with every token and keeping the first gives the same."""
    model = tiny_fastbert()
    exit = model.exits[0]
    hidden = torch.randn(2, 7, SIZES["hidden_size"])
    x = exit.narrow(hidden).tanh()
    reference = torch.nn.MultiheadAttention(SIZES["exit_hidden_size"], exit.heads, batch_first=True)
    reference.in_proj_weight.data = torch.cat([exit.query.weight, exit.key_value.weight])
    reference.in_proj_bias.data = torch.cat([exit.query.bias, exit.key_value.bias])
    reference.out_proj.load_state_dict(exit.attention_output.state_dict())
    everywhere = reference(x, x, x)[0]  # [B, T, E]
    expected = exit.classifier(exit.dense(everywhere[:, 0]).tanh())
    torch.testing.assert_close(exit(hidden), expected, atol=1e-5, rtol=1e-5)


def test_padding_changes_nothing():
    model = tiny_fastbert()
    ids, mask = tiny_batch([5])
    padded = torch.nn.functional.pad(ids, (0, 9)), torch.nn.functional.pad(mask, (0, 9))
    torch.testing.assert_close(model.layer_logits(ids, mask), model.layer_logits(*padded), atol=1e-5, rtol=0)


@settings(max_examples=60)
@given(
    lengths=st.lists(st.integers(2, 24), min_size=1, max_size=9),
    layers=st.integers(1, 5),
    speed=st.floats(0, 1),
    per_layer=st.booleans(),
    measure=st.sampled_from(["entropy", "max_probability", "top_k_entropy"]),
    seed=st.integers(0, 1000),
)
def test_a_batch_answers_like_one_sentence_at_a_time(lengths, layers, speed, per_layer, measure, seed):
    model = tiny_fastbert(layers, seed=seed)
    limits = [speed * (depth + 1) / layers for depth in range(layers - 1)] if per_layer else speed
    ids, mask = tiny_batch(lengths, seed)
    together = model.predict(ids, mask, limits, measure)
    every_layer = uncertainty(model.layer_logits(ids, mask), measure)  # [L, B]
    for row, length in enumerate(lengths):
        alone = model.predict(ids[row : row + 1, :length], None, limits, measure)
        each = [limits] * (layers - 1) if isinstance(limits, float) else limits
        # Rounding may tip a sentence whose uncertainty is the threshold itself.
        gaps = [abs(every_layer[depth, row].item() - each[depth]) for depth in range(layers - 1)]
        if min(gaps, default=1) < 1e-4:
            continue
        assert together.exit_layer[row] == alone.exit_layer[0]
        torch.testing.assert_close(together.logits[row], alone.logits[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together.uncertainty[row], alone.uncertainty[0], atol=1e-4, rtol=1e-4)


def test_sentences_leave_at_different_layers():
    """The property above would be empty if all left together."""
    model = tiny_fastbert()
    ids, mask = tiny_batch([9, 3, 24, 7, 7, 12, 2, 18])
    assert len(set(model.predict(ids, mask, 0.6).exit_layer.tolist())) >= 3


def test_speed_0_is_the_full_model():
    model = tiny_fastbert()
    ids, mask = tiny_batch([9, 3, 24])
    output = model.predict(ids, mask, 0)
    assert output.exit_layer.tolist() == [4, 4, 4]
    torch.testing.assert_close(output.logits, model(ids, mask).logits, atol=1e-5, rtol=1e-5)


def test_the_last_layer_always_answers():
    """Uniform answers are never certain; they must still come from the teacher, not stay zero."""
    model = tiny_fastbert()
    with torch.no_grad():
        for exit in model.exits:
            exit.classifier.weight.zero_()
            exit.classifier.bias.fill_(3.0)
    ids, mask = tiny_batch([4, 6])
    output = model.predict(ids, mask, 0.5)
    assert output.exit_layer.tolist() == [4, 4]
    assert (output.logits == 3.0).all()


def test_layers_above_the_exit_do_not_run():
    model = tiny_fastbert()
    rows = []
    for layer in model.bert.encoder.layer:
        layer.register_forward_hook(lambda module, inputs, output: rows.append(tuple(output.shape[:2])))
    ids, mask = tiny_batch([20, 3, 9, 7])
    layers = model.predict(ids, mask, 0.6).exit_layer
    lengths = mask.sum(1)
    expected = []
    for depth in range(1, int(layers.max()) + 1):
        waiting = layers >= depth
        expected.append((int(waiting.sum()), int(lengths[waiting].max())))
    assert rows == expected


@pytest.mark.parametrize("speed", [-0.1, 1.1, float("nan"), [0.5, 0.5]])
def test_bad_speed(speed):
    model = tiny_fastbert()
    with pytest.raises(ValueError):
        model.predict(*tiny_batch([4]), speed)


def test_predict_refuses_training_mode():
    with pytest.raises(ValueError, match="eval"):
        tiny_fastbert().train().predict(*tiny_batch([4]))


@pytest.mark.parametrize("shape", [(0, 5), (2, 0)])
def test_predict_refuses_an_empty_batch(shape):
    with pytest.raises(ValueError, match=r"nothing to answer: input_ids has the shape \["):
        tiny_fastbert().predict(torch.zeros(shape, dtype=torch.long))


# --- training ---------------------------------------------------------------------------------------


def test_kl_directions_by_hand():
    """Student 0.5/0.5, teacher 0.9/0.1: the two directions differ, 0.5108 against 0.3681 nats."""
    student = torch.tensor([[[0.5, 0.5]]]).log()  # [1 student, 1 sentence, 2 classes]
    teacher = torch.tensor([[0.9, 0.1]]).log()
    paper = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    code = 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5)
    assert self_distillation_loss(student, teacher, "student||teacher").item() == pytest.approx(
        paper, abs=1e-6
    )
    assert self_distillation_loss(student, teacher, "teacher||student").item() == pytest.approx(
        code, abs=1e-6
    )
    assert paper != pytest.approx(code, abs=0.1)
    with pytest.raises(ValueError, match="direction"):
        self_distillation_loss(student, teacher, "both")


def test_students_add_up_and_sentences_average():
    students = torch.randn(3, 4, 5)
    teacher = torch.randn(4, 5)
    each = [
        self_distillation_loss(students[s : s + 1, b : b + 1], teacher[b : b + 1], "student||teacher").item()
        for s in range(3)
        for b in range(4)
    ]
    total = self_distillation_loss(students, teacher, "student||teacher").item()
    assert total == pytest.approx(sum(each) / 4, abs=1e-5)


@pytest.mark.parametrize(
    ("stage", "trained"),
    [
        ("finetune", {"bert", "exits.3"}),
        ("distill", {"exits.0", "exits.1", "exits.2"}),
        ("joint", {"bert", "exits.0", "exits.1", "exits.2", "exits.3"}),
    ],
)
def test_gradients_reach_what_the_stage_trains_and_nothing_else(stage, trained):
    model = tiny_fastbert(kl_direction="teacher||student").set_stage(stage).train()
    ids, mask = tiny_batch([9, 3])
    model(ids, mask, labels=torch.tensor([0, 2])).loss.backward()
    for name, parameter in model.named_parameters():
        part = "bert" if name.startswith("bert.") else ".".join(name.split(".")[:2])
        assert (parameter.grad is not None) == (part in trained), name


def test_distillation_keeps_backbone_and_teacher_in_evaluation_mode():
    model = tiny_fastbert(hidden_dropout_prob=0.5).set_stage("distill").train()
    assert not model.bert.training and not model.exits[-1].training and model.exits[0].training
    ids, mask = tiny_batch([9, 3])
    torch.testing.assert_close(model(ids, mask).logits, model.eval()(ids, mask).logits)


def test_distillation_needs_no_labels_and_lowers_the_loss():
    model = tiny_fastbert(hidden_dropout_prob=0.0).set_stage("distill").train()
    ids, mask = tiny_batch([9, 3, 12, 5])
    before = {name: value.clone() for name, value in model.bert.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    losses = []
    for _ in range(40):
        loss = model(ids, mask).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert all(torch.equal(value, before[name]) for name, value in model.bert.state_dict().items())


def test_distilling_without_freezing_is_refused():
    """As an argument alone, "distill" would train the backbone through the students' loss."""
    model = tiny_fastbert().train()
    batch = tiny_batch([9, 3])
    with pytest.raises(ValueError, match=r"the stage is 'finetune', .* call set_stage\(\"distill\"\) first"):
        model(*batch, stage="distill")
    model.set_stage("distill")(*batch, stage="distill").loss.backward()
    assert all(parameter.grad is None for parameter in model.bert.parameters())


def test_unknown_stage_direction_and_uneven_heads():
    model = tiny_fastbert()
    with pytest.raises(ValueError, match="stage must be one of"):
        model.set_stage("distil")
    with pytest.raises(ValueError, match="stage must be one of"):
        model(*tiny_batch([3]), stage="test")
    with pytest.raises(ValueError, match="kl_direction"):
        tiny_fastbert(kl_direction="both")
    with pytest.raises(ValueError, match="8 is not a multiple of exit_num_heads 3"):
        tiny_fastbert(exit_num_heads=3)


# --- as transformers expects it ----------------------------------------------------------------------


def test_round_trip_through_the_auto_class(tmp_path):
    model = tiny_fastbert(kl_direction="teacher||student")
    model.save_pretrained(tmp_path)
    assert not list(tmp_path.glob("*.bin"))
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert isinstance(again, FastBertForSequenceClassification)
    assert again.config.kl_direction == "teacher||student"
    ids, mask = tiny_batch([9, 3])
    assert torch.equal(model.layer_logits(ids, mask), again.layer_logits(ids, mask))


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_one_import_teaches_the_auto_class(tmp_path, readme):
    """The READMEs' lines in a fresh process, on a tiny model."""
    tiny_fastbert().save_pretrained(tmp_path)
    code = re.search(r"```python\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)[1]
    assert "import course_lib.models.fastbert" in code and '"data/checkpoints/reviews-fastbert"' in code
    code = code.replace('"data/checkpoints/reviews-fastbert"', repr(str(tmp_path)))
    code += "print(type(model).__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "FastBertForSequenceClassification", done.stderr


def test_loads_any_bert_folder(tmp_path):
    """A plain BERT: its encoder is taken over weight by weight, the exits are new."""
    sizes = {key: value for key, value in SIZES.items() if not key.startswith("exit")}
    bert = BertModel(BertConfig(num_hidden_layers=3, **sizes))
    bert.save_pretrained(tmp_path)
    model = FastBertForSequenceClassification.from_pretrained(tmp_path, num_labels=5, exit_hidden_size=8)
    for name, value in model.bert.state_dict().items():
        assert torch.equal(value, bert.state_dict()[name]), name
    assert len(model.exits) == 3 and model(*tiny_batch([4])).logits.shape == (1, 5)


def test_pipeline_and_trainer(tmp_path):
    corpus = tiny_corpus()
    tokenizer = tiny_tokenizer(corpus)
    model = tiny_fastbert(2, num_labels=2, vocab_size=len(tokenizer))
    rows = corpus["train"].map(lambda row: tokenizer(row["text"]), remove_columns="text")
    arguments = TrainingArguments(
        tmp_path, max_steps=3, report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no"
    )
    before = model.exits[-1].classifier.weight.clone()
    Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer).train()
    assert not torch.equal(model.exits[-1].classifier.weight, before)

    model.set_stage("distill")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer).train()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("exits.0.") for name in changed), "the student alone"

    answers = pipeline("text-classification", model=model, tokenizer=tokenizer)(["一丁好", "一坏"])
    assert [set(answer) for answer in answers] == [{"label", "score"}] * 2
