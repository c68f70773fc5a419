"""The decoder with exits: GPT-2 inside, what each stage trains, saving, LayerDrop, cuts, `generate`."""

import pytest
import torch
from tiny import tiny_decoder
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from course_lib.models.decoder import ExitDecoderConfig, ExitDecoderForCausalLM
from course_lib.models.layerdrop import LayerDrop
from course_lib.models.pruning import only_layers, prune

IDS = torch.tensor([[1, 7, 9, 30, 12], [1, 8, 8, 3, 0]])
MASK = (IDS != 0).long()
LABELS = IDS.masked_fill(MASK == 0, -100)


def as_gpt2(model: ExitDecoderForCausalLM) -> GPT2LMHeadModel:
    """A GPT-2 of transformers with the same weights, the exits left out."""
    plain = GPT2LMHeadModel(model.config).eval()
    missing, unexpected = plain.load_state_dict(model.state_dict(), strict=False)
    assert not missing and all(name.startswith("exits.") for name in unexpected)
    return plain


def test_with_all_layers_it_is_a_gpt2():
    model = tiny_decoder()
    found, wanted = model(IDS, MASK, labels=LABELS), as_gpt2(model)(IDS, attention_mask=MASK, labels=LABELS)
    assert torch.allclose(found.logits[MASK == 1], wanted.logits[MASK == 1], atol=1e-5)
    assert found.loss.item() == pytest.approx(wanted.loss.item(), abs=1e-5)


def test_the_cache_gives_the_same_as_the_whole_text():
    model, ids = tiny_decoder(), IDS[:1]
    start = model(ids[:, :3])
    rest = model(ids[:, 3:], past_key_values=start.past_key_values).logits
    assert torch.allclose(rest, model(ids).logits[:, 3:], atol=1e-5)


def test_any_gpt2_on_disk_gets_exits_that_begin_as_the_identity(tmp_path):
    model = tiny_decoder()
    as_gpt2(model).save_pretrained(tmp_path)
    loaded = ExitDecoderForCausalLM.from_pretrained(tmp_path).eval()
    assert torch.equal(loaded(IDS).logits, model(IDS).logits)
    hidden = loaded.layer_states(IDS)[0]
    plain_lens = loaded.lm_head(loaded.transformer.ln_f(hidden))
    assert torch.equal(loaded.exit_logits(hidden, 1), plain_lens)


def test_saved_and_loaded_by_the_auto_class(tmp_path):
    model = tiny_decoder()
    torch.nn.init.normal_(model.exits[1].change.weight)
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert isinstance(loaded, ExitDecoderForCausalLM)
    for (name, one), (other_name, other) in zip(
        model.state_dict().items(), loaded.state_dict().items(), strict=True
    ):
        assert name == other_name and torch.equal(one, other)


@pytest.mark.parametrize(
    "stage, trained",
    [("finetune", {"transformer"}), ("distill", {"exits"}), ("joint", {"transformer", "exits"})],
)
def test_each_stage_trains_its_part_and_no_other(stage, trained):
    model = tiny_decoder().set_stage(stage).train()
    model(IDS, MASK, labels=LABELS).loss.backward()
    got = {name.split(".")[0] for name, each in model.named_parameters() if each.grad is not None}
    assert got == trained  # the head is transformer.wte


def test_distillation_leaves_the_text_as_it_was_and_brings_the_exits_closer():
    model = tiny_decoder()
    before = model(IDS).logits
    model.set_stage("distill").train()
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], 1e-2)
    losses = []
    for _ in range(30):
        loss = model(IDS, MASK, labels=LABELS).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    assert torch.equal(model.eval()(IDS).logits, before)


def test_the_joint_loss_by_hand():
    """Two layers: (1 x loss of exit 1 + 2 x loss of the last) / 3."""
    model = tiny_decoder(num_hidden_layers=2).set_stage("joint")
    states = model.layer_states(IDS, MASK)
    each = []
    for depth, hidden in enumerate(states, 1):
        logits = model.exit_logits(hidden, depth)[:, :-1].flatten(0, 1)
        each.append(torch.nn.functional.cross_entropy(logits, LABELS[:, 1:].flatten()))
    loss = model(IDS, MASK, labels=LABELS).loss
    assert loss.item() == pytest.approx(((each[0] + 2 * each[1]) / 3).item(), abs=1e-5)


def test_some_exits_a_step_are_drawn_anew_and_all_take_their_turn():
    model = tiny_decoder(exits_per_step=1).set_stage("distill").train()
    torch.manual_seed(0)
    trained = set()
    for _ in range(20):
        model(IDS, MASK, labels=LABELS).loss.backward()
        with_gradient = {
            number for number, exit in enumerate(model.exits) if exit.change.weight.grad is not None
        }
        assert len(with_gradient) == 1
        trained |= with_gradient
        model.zero_grad(set_to_none=True)
    assert trained == {0, 1, 2}


def test_layerdrop_attaches_and_drops_whole_layers():
    model = tiny_decoder()
    whole = model(IDS).logits
    drop = LayerDrop(0.5, seed=3).attach(model)
    assert torch.equal(model.eval()(IDS).logits, whole), "nothing is dropped in evaluation"
    model.train()
    found, seen = model(IDS).logits, drop.runs.clone()
    drop.detach()
    assert not seen.all()
    with only_layers(model.eval(), (seen.nonzero().flatten() + 1).tolist()):
        assert torch.allclose(found, model(IDS).logits, atol=1e-6)


@pytest.mark.parametrize("keep", [[1, 3], [2, 4], [1, 2, 3, 4]])
def test_a_cut_keeps_the_exits_of_its_layers_and_ends_in_the_final_norm(keep, tmp_path):
    model = tiny_decoder()
    for exit in model.exits:
        torch.nn.init.normal_(exit.change.weight)
    smaller = prune(model, keep)
    with only_layers(model, keep):
        assert torch.allclose(smaller(IDS).logits, model(IDS).logits, atol=1e-5)
    assert len(smaller.exits) == len(keep) - 1
    assert torch.equal(smaller.exits[0].change.weight, model.exits[keep[0] - 1].change.weight)
    smaller.save_pretrained(tmp_path)
    assert ExitDecoderForCausalLM.from_pretrained(tmp_path).config.num_hidden_layers == len(keep)


def test_generate_with_a_batch_padded_on_the_left_writes_what_each_text_alone_does():
    model = tiny_decoder()
    options = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    ids = torch.tensor([[0, 0, 1, 7], [1, 9, 4, 5]])
    both = model.generate(ids, attention_mask=(ids != 0).long(), **options)
    alone = model.generate(ids[:1, 2:], **options)
    assert both[0, 4:].tolist() == alone[0, 2:].tolist()


def test_an_early_exit_of_generate_is_the_exit_of_that_depth():
    """LayerSkip's way: the config is told that there are fewer layers."""
    model = tiny_decoder()
    wanted = model.exit_logits(model.layer_states(IDS)[1], 2)
    model.config.num_hidden_layers = 2
    assert torch.equal(model(IDS).logits, wanted)


def test_refusals():
    with pytest.raises(ValueError, match="kl_direction.*both"):
        ExitDecoderForCausalLM(
            ExitDecoderConfig(n_layer=2, n_embd=8, n_head=2, vocab_size=9, kl_direction="both")
        )
    with pytest.raises(ValueError, match="exits_per_step.*0"):
        ExitDecoderForCausalLM(
            ExitDecoderConfig(n_layer=2, n_embd=8, n_head=2, vocab_size=9, exits_per_step=0)
        )
    model = tiny_decoder()
    with pytest.raises(ValueError, match="stage must be one of.*pretrain"):
        model.set_stage("pretrain")
    with pytest.raises(ValueError, match="not frozen"):
        model(IDS, MASK, labels=LABELS, stage="distill")
    with pytest.raises(ValueError, match="half precision"):
        tiny_decoder().half().set_stage("finetune").train()(IDS)
