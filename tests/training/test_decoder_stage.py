"""A decoder from a recipe, tiny: what it leaves behind, how it resumes, what is refused."""

import json

import pytest
import torch
from datasets import Dataset, DatasetDict
from tiny_recipes import DECODER, folders
from transformers import AutoModelForCausalLM, AutoTokenizer

from course_lib.models.self_speculation import speculate
from course_lib.texts import corpora
from course_lib.training import decoder
from course_lib.training.run import run_recipe

LINES = [
    "床前明月光",
    "疑是地上霜",
    "举头望明月",
    "低头思故乡",
    "白日依山尽",
    "黄河入海流",
    "欲穷千里目",
    "更上一层楼",
]


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Twenty made-up quatrains; unfinished runs stay in tmp_path."""
    texts = [
        f"{LINES[one]}，{LINES[(one + step) % 8]}。{LINES[(one + 2 * step) % 8]}，{LINES[one]}。"
        for one in range(8)
        for step in (1, 3, 5)
    ]
    parts = {"train": texts[:16], "validation": texts[16:20], "test": texts[20:]}
    corpus = DatasetDict({name: Dataset.from_dict({"text": part}) for name, part in parts.items()})
    monkeypatch.setitem(corpora.UNLABELLED, "poems", lambda: corpus)
    monkeypatch.setattr(decoder, "UNFINISHED", tmp_path / "unfinished")
    return tmp_path


def test_the_whole_line(few):
    (few / "small.toml").write_text(DECODER)
    record = run_recipe(few / "small.toml", **folders(few))
    assert json.loads((few / "runs" / "small-seed1.json").read_text())["metrics"] == record["metrics"]
    metrics = record["metrics"]
    for name in ("exits_before_distillation", "exits", "exits_on_test"):
        assert len(metrics[name]["loss"]) == len(metrics[name]["agreement"]) == 3
    before, after = metrics["exits_before_distillation"], metrics["exits"]
    assert after["loss"][-1] == before["loss"][-1], "the whole network is as it was"
    assert after["loss"][0] < before["loss"][0], "and its first exit is better"
    assert set(metrics["cut"]) == {"1", "2", "3"}
    whole = metrics["cut"]["3"]
    assert whole["every_other"] == whole["first"] == pytest.approx(whole["exit"], abs=1e-3)
    assert metrics["written"]["poets"]["form_kept"] == 1 and len(metrics["written"]["examples"]) == 4
    assert not (few / "unfinished" / "small-seed1").exists()

    model = AutoModelForCausalLM.from_pretrained(few / "checkpoints" / "small").eval()
    tokenizer = AutoTokenizer.from_pretrained(few / "checkpoints" / "small")
    ids = tokenizer("床前明月光，", return_tensors="pt")["input_ids"]
    plain = model.generate(ids, max_new_tokens=8, do_sample=False, eos_token_id=None)
    assert torch.equal(speculate(model, ids, 8, draft=1).sequences, plain)


def test_an_interrupted_second_stage_goes_on_from_the_first(few, monkeypatch):
    (few / "small.toml").write_text(DECODER)
    whole = run_recipe(few / "small.toml", **folders(few))

    stages, real = [], decoder._stage

    def breaks(*given):
        stages.append(given[4])
        if stages == ["finetune", "distil"]:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(decoder, "_stage", breaks)
    with pytest.raises(KeyboardInterrupt):
        run_recipe(few / "small.toml", **folders(few))
    again = run_recipe(few / "small.toml", **folders(few))
    assert stages == ["finetune", "distil", "distil"], "the language model is not trained again"
    assert again["metrics"] == whole["metrics"]


def test_other_data_are_refused(few):
    (few / "small.toml").write_text(DECODER.replace('"poems"', '"reviews"'))
    with pytest.raises(ValueError, match="data must be one of poems, not 'reviews'"):
        run_recipe(few / "small.toml", **folders(few))
