"""Adapters: only they and the exits train, merged they change nothing, and a small folder holds them."""

import json
import warnings

import pytest
import torch
from safetensors.torch import load_file
from tiny import SIZES, tiny_fastbert
from transformers import BertConfig, BertModel

from course_lib.models.adapters import add_adapters, backbone_of, count_trained, merge, save_adapters
from course_lib.models.backbones import load_tokenizer, load_weights
from course_lib.models.checkpoints import load_fastbert, save_beside_backbone, save_checkpoint
from course_lib.models.fastbert import FastBertConfig, FastBertForSequenceClassification
from course_lib.models.folders import MANIFEST, checked
from course_lib.texts.tokenizers import train_characters
from course_lib.training.backbone import save_packed

IDS = torch.tensor([[2, 10, 11, 12, 3], [2, 20, 21, 3, 0]])
MASK = torch.tensor([[1] * 5, [1, 1, 1, 1, 0]])


@pytest.fixture
def backbone(tmp_path):
    """A tiny BERT of somebody's, in a folder."""
    torch.manual_seed(0)
    tokenizer = train_characters(["房间很干净服务差早餐好"], 60, 24)
    sizes = {key: value for key, value in SIZES.items() if not key.startswith("exit")}
    bert = BertModel(BertConfig(num_hidden_layers=3, **sizes), add_pooling_layer=False)
    save_checkpoint(tmp_path / "backbone", bert, tokenizer)
    return tmp_path / "backbone"


def trained(backbone, steps=3) -> FastBertForSequenceClassification:
    """A FastBERT on that backbone whose adapters have learned a little."""
    torch.manual_seed(1)
    model = FastBertForSequenceClassification.from_pretrained(
        backbone, dtype=torch.float32, num_labels=3, exit_hidden_size=8, max_tokens=9
    )
    model.set_stage("finetune").train()
    add_adapters(model, rank=2, backbone=str(backbone))
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], 0.05)
    for _ in range(steps):
        model(IDS, MASK, labels=torch.tensor([0, 1])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


def test_only_adapters_and_the_teacher_train(backbone):
    model = trained(backbone, steps=0)
    names = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert all("lora_" in name or name.startswith("exits.2.") for name in names)
    width, inner, rank = SIZES["hidden_size"], SIZES["intermediate_size"], 2
    in_a_layer = rank * (4 * 2 * width + 2 * (width + inner))
    exit_weights = sum(weight.numel() for weight in model.exits[-1].parameters())
    assert count_trained(model) == 3 * in_a_layer + exit_weights


def test_new_adapters_change_nothing_and_trained_ones_do(backbone):
    untouched, touched = (trained(backbone, steps) for steps in (0, 3))
    with torch.no_grad():
        fresh, learned = (model.layer_logits(IDS, MASK) for model in (untouched, touched))
        torch.manual_seed(1)
        plain = FastBertForSequenceClassification.from_pretrained(
            backbone, dtype=torch.float32, num_labels=3, exit_hidden_size=8
        ).eval()
        torch.testing.assert_close(fresh, plain.layer_logits(IDS, MASK))
    assert (learned - fresh).abs().max() > 0.01


def test_merged_they_answer_as_before_and_nothing_of_them_is_left(backbone, tmp_path):
    model = trained(backbone)
    save_adapters(model, tmp_path / "adapters")
    with torch.no_grad():
        before = model.layer_logits(IDS, MASK)
        merge(model)
        torch.testing.assert_close(model.layer_logits(IDS, MASK), before, atol=1e-5, rtol=1e-5)
    assert not [name for name in model.state_dict() if "lora" in name or "base_layer" in name]


def test_a_small_folder_holds_all_that_was_trained(backbone, tmp_path):
    model = trained(backbone)
    save_adapters(model, tmp_path / "adapters")
    merge(model)
    save_beside_backbone(tmp_path / "small", model, tmp_path / "adapters")
    loaded, tokenizer = load_fastbert(tmp_path / "small")
    with torch.no_grad():  # the model itself was rounded when it was saved
        found, expected = loaded.layer_logits(IDS, MASK), model.layer_logits(IDS, MASK)
        torch.testing.assert_close(found, expected, atol=2e-6, rtol=2e-6)
    assert tokenizer.model_max_length == 9 and not loaded.training
    stored = [
        file
        for name in ("adapter_model", "exits")
        for file in load_file(tmp_path / "small" / f"{name}.safetensors").values()
    ]
    assert {tensor.dtype for tensor in stored} == {torch.float16}
    assert not list((tmp_path / "small").glob("tokenizer*"))


def test_damage_to_the_adapters_is_noticed(backbone, tmp_path):
    model = trained(backbone)
    save_adapters(model, tmp_path / "adapters")
    merge(model)
    save_beside_backbone(tmp_path / "small", model, tmp_path / "adapters")
    manifest = json.loads((tmp_path / "small" / MANIFEST).read_text())
    assert {"adapter_model.safetensors", "adapter_config.json", "exits.safetensors"} <= manifest.keys()
    path = tmp_path / "small" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match="adapter_model.safetensors is damaged"):
        checked(tmp_path / "small")


def test_a_rank_of_nothing_is_refused():
    with pytest.raises(ValueError, match="lora_rank must be at least 1, not 0"):
        add_adapters(tiny_fastbert(), rank=0, backbone="x")


def test_exits_have_a_spread_of_their_own_beside_a_backbone():
    wide, same = (
        FastBertForSequenceClassification(
            FastBertConfig(
                **{**SIZES, "initializer_range": 0.02, "hidden_size": 64}, num_hidden_layers=2, **extra
            )
        )
        for extra in ({"exit_initializer_range": 0.3}, {})
    )
    assert wide.exits[0].narrow.weight.std().item() == pytest.approx(0.3, rel=0.2)
    assert same.exits[0].narrow.weight.std().item() == pytest.approx(0.02, rel=0.2)
    for model in (wide, same):
        assert model.bert.encoder.layer[0].output.dense.weight.std().item() == pytest.approx(0.02, rel=0.2)


def test_a_packed_backbone_is_found_again(backbone, tmp_path):
    bert = load_weights(BertModel, backbone, add_pooling_layer=False)
    tokenizer = load_tokenizer(backbone, bert.config)
    save_packed(tmp_path / "packed", bert, tokenizer)
    model = trained(backbone)
    other = load_weights(FastBertForSequenceClassification, tmp_path / "packed", config=model.config)
    add_adapters(other, rank=2, backbone=str(tmp_path / "packed"))
    save_adapters(other, tmp_path / "adapters")
    merge(other)
    save_beside_backbone(tmp_path / "small", other, tmp_path / "adapters")
    assert backbone_of(tmp_path / "small") == str(tmp_path / "packed")
    assert load_fastbert(tmp_path / "small")[0].config.num_labels == 3


def test_nothing_is_written_beside_the_answer(backbone, tmp_path, capfd):
    """A lesson that loads such a checkpoint may not write to stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = trained(backbone, steps=0)
        save_adapters(model, tmp_path / "adapters")
        merge(model)
        save_beside_backbone(tmp_path / "small", model, tmp_path / "adapters")
        capfd.readouterr()
        load_fastbert(tmp_path / "small")
    assert capfd.readouterr() == ("", "")
