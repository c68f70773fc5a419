"""Fine-tuning with adapters, from a recipe: small on disk, the same when it is loaded, resumed to the bit."""

import pytest
import torch
from tiny import tiny_backbone_folder
from tiny_recipes import FASTBERT, folders

from course_lib.measures.trace import ExitTrace, load_traces
from course_lib.models.checkpoints import load_fastbert
from course_lib.texts import corpora
from course_lib.training import fastbert
from course_lib.training.run import run_recipe


@pytest.fixture
def recipe(small):
    """A recipe with adapters on a tiny backbone, written to a file."""
    tiny_backbone_folder(small / "backbone")
    text = FASTBERT.replace("BACKBONE", str(small / "backbone"))
    text = text.replace("[finetune]", "[finetune]\nlora_rank = 2\nexit_learning_rate = 2e-3")
    (small / "light.toml").write_text(text)
    return small / "light.toml"


def test_the_checkpoint_is_small_and_answers_as_its_trace_says(small, recipe):
    run_recipe(recipe, **folders(small))
    folder = small / "checkpoints" / "light"
    names = {"config.json", "adapter_config.json", "adapter_model.safetensors", "exits.safetensors"}
    assert {path.name for path in folder.iterdir()} == names | {"checksums.json"}
    model, tokenizer = load_fastbert(folder)
    rows = corpora.load_corpus("reviews")["test"]
    found, shipped = ExitTrace.of(model, tokenizer, rows), load_traces("light", "test", small / "traces")[0]
    assert abs(found.probabilities - shipped.probabilities).max() < 1e-5


def test_the_traces_of_all_seeds_are_kept_but_one_checkpoint(small, recipe):
    run_recipe(recipe, **folders(small))
    for split in ("validation", "test"):
        first, second = load_traces("light", split, small / "traces")
        assert (first.labels == second.labels).all()
        assert (first.probabilities != second.probabilities).any()
    assert [path.name for path in (small / "checkpoints").iterdir()] == ["light"]


def test_a_run_that_stopped_between_the_stages_ends_with_the_same_adapters(small, recipe, monkeypatch):
    run_recipe(recipe, seed=1, **folders(small))
    expected = (small / "checkpoints" / "light" / "adapter_model.safetensors").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(fastbert, "self_distil", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_recipe(recipe, seed=1, **folders(small))
    record = run_recipe(recipe, seed=1, **folders(small))
    assert (small / "checkpoints" / "light" / "adapter_model.safetensors").read_bytes() == expected
    assert record["recipe"]["finetune"]["lora_rank"] == 2


def test_the_backbone_itself_stays(small, recipe):
    run_recipe(recipe, seed=1, **folders(small))
    model, _ = load_fastbert(small / "checkpoints" / "light")
    other, _ = load_fastbert(small / "checkpoints" / "light")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    words = model.bert.embeddings.word_embeddings.weight
    assert not words.requires_grad or words.grad is None
