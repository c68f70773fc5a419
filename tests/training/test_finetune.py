"""Fine-tuning and distillation: each trains its own part; hidden tokens, and questions layer by layer."""

import pytest
import torch
from tiny import tiny_batch, tiny_fastbert
from tiny_recipes import FASTBERT, PRETRAIN, folders, read_recipe_of

from course_lib.models.layerdrop import LayerDrop
from course_lib.texts.corpora import load_corpus
from course_lib.training.distil import self_distil
from course_lib.training.fastbert import new_fastbert
from course_lib.training.finetune import HiddenTokens, StepByStep, finetune
from course_lib.training.run import run_recipe


def test_finetuning_changes_no_student_and_distillation_nothing_else(small, monkeypatch):
    (small / "backbone.toml").write_text(PRETRAIN)
    run_recipe(small / "backbone.toml", **folders(small))
    recipe = read_recipe_of(small, FASTBERT.replace("BACKBONE", str(small / "checkpoints" / "backbone")))
    corpus = load_corpus("reviews")
    model, tokenizer = new_fastbert(recipe, corpus, seed=1)

    def parts():
        return {name: value.clone() for name, value in model.state_dict().items()}

    fresh = parts()
    finetune(model, tokenizer, corpus, recipe, 1, small / "a")
    tuned = parts()
    self_distil(model, tokenizer, corpus, recipe, 1, small / "b")
    distilled = parts()
    for name in fresh:
        student = name.startswith(("exits.0", "exits.1"))
        assert torch.equal(fresh[name], tuned[name]) == student, name
        assert torch.equal(tuned[name], distilled[name]) != student, name


def test_hidden_tokens_only_in_training():
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, input_ids):
            seen.append(input_ids)

    ids = torch.full((50, 20), 7)
    hidden = HiddenTokens(Spy(), mask_id=4, share=0.2)
    hidden.train()(input_ids=ids)
    hidden.eval()(input_ids=ids)
    assert (seen[0] == 4).float().mean().item() == pytest.approx(0.19, abs=0.04)
    assert (seen[0][:, 0] == 7).all(), "[CLS] is never hidden"
    assert torch.equal(seen[1], ids)
    with pytest.raises(ValueError, match=r"hide_tokens must lie in \[0, 1\)"):
        HiddenTokens(Spy(), 4, 1.0)


@pytest.mark.parametrize(
    ("rate", "asked"),
    [(0.0, [(0, 0), (1, 1), (2, 2), (3, 2)]), (0.5, [(1, 0), (3, 1)])],  # (layer, passes), from the first
)
def test_step_by_step_asks_each_layer_that_runs_for_one_more_pass(rate, asked):
    """The loss is the mean of the teacher's and of the layers' own questions, here worked out one by one."""
    model = tiny_fastbert(4, num_labels=8, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    drop = LayerDrop(rate).attach(model.set_stage("finetune"))
    drop.draw = lambda: setattr(drop, "runs", torch.tensor([rate == 0, True, rate == 0, True]))
    module = StepByStep(model.train(), 2, drop)
    ids, mask = tiny_batch([6, 6])
    labels, holders = torch.tensor([3, 5]), torch.tensor([[1, 2, 3], [7, 6, 5]])
    states = model.layer_states(ids, mask, None)
    expected = [torch.nn.functional.cross_entropy(model(ids, mask).logits, labels)]
    for head, (layer, passes) in enumerate(asked):
        answers = module.heads[head](states[layer][0][:, 0])
        expected.append(torch.nn.functional.cross_entropy(answers, holders[:, passes]))
    torch.testing.assert_close(module(ids, mask, labels, holders), torch.stack(expected).mean())


def test_step_by_step_counts_whole_layers_only():
    model = tiny_fastbert(num_hidden_layers=2, num_labels=8)
    with pytest.raises(ValueError, match="whole layers, not with unit = 'head'"):
        StepByStep(model, 2, LayerDrop(0.2, "head").attach(model))
