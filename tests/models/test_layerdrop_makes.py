"""Models of all makes: what LayerDrop and pruning know they do, and the rest they refuse with a way out.

Also models that are saved whole with a LayerDrop attached, and models in half precision.
"""

import io
import pickle

import pytest
import torch
from tiny import by_hand, tiny_batch, tiny_model
from torch import nn
from transformers import (
    BartModel,
    BertForSequenceClassification,
    BertModel,
    BigBirdModel,
    BloomModel,
    ConvBertModel,
    DistilBertModel,
    ElectraModel,
    EsmModel,
    FalconModel,
    FNetModel,
    Gemma2Model,
    GemmaModel,
    GPT2Model,
    GPTBigCodeModel,
    GPTNeoXModel,
    LayoutLMModel,
    LlamaForCausalLM,
    LlamaModel,
    LongformerModel,
    MambaModel,
    MistralModel,
    MixtralModel,
    ModernBertModel,
    NystromformerModel,
    Phi3Model,
    Qwen2Model,
    Qwen3Model,
    RemBertModel,
    RobertaModel,
    RoFormerModel,
    SmolLM3Model,
    T5Model,
    ViTModel,
    Wav2Vec2ForCTC,
    Wav2Vec2Model,
)
from transformers.models.nomic_bert.modeling_nomic_bert import NomicBertModel

from course_lib.models.layerdrop import UNITS, LayerDrop, find_layers
from course_lib.models.pruning import data_driven, only_layers, prune
from course_lib.models.pruning_width import prune_feed_forward, prune_heads

IDS, MASK = tiny_batch([9, 9, 9])
KNOWN = [BertModel, RobertaModel, ElectraModel, DistilBertModel, GPT2Model]
CHANGES = {  # what some models need to be tiny
    BigBirdModel: {"attention_type": "original_full"},
    BloomModel: {"n_layer": 4, "n_head": 2},
    ConvBertModel: {"embedding_size": 16, "conv_kernel_size": 3},
    ElectraModel: {"embedding_size": 16},
    FNetModel: {},
    GPT2Model: {"n_inner": 32},
    GPTBigCodeModel: {"n_inner": 32, "attn_pdrop": 0.0},
    LongformerModel: {"attention_window": 4, "max_position_embeddings": 40},
    MambaModel: {},
    MixtralModel: {"num_local_experts": 2, "num_experts_per_tok": 1},
    ModernBertModel: {"cls_token_id": 1, "sep_token_id": 2},
    RemBertModel: {"input_embedding_size": 16, "output_embedding_size": 16},
    ViTModel: {"image_size": 32, "patch_size": 16},
}
WAV2VEC2 = {
    "conv_dim": (16,),
    "conv_stride": (5,),
    "conv_kernel": (10,),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
    "attention_dropout": 0.0,
}


def tiny(model_class, num_hidden_layers=4, **more):
    changes = {**CHANGES.get(model_class, {}), **more}
    if model_class is not FalconModel:
        changes = {"num_key_value_heads": 2, "head_dim": 8, **changes}
    return tiny_model(model_class, num_hidden_layers, **changes)


def untouched(model: nn.Module) -> bool:
    return all(not {"forward", "feed_forward_chunk"} & set(vars(module)) for module in model.modules())


# --- narrower feed-forwards ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model_class",
    [
        LlamaModel,
        LlamaForCausalLM,
        MistralModel,
        MixtralModel,
        Qwen2Model,
        Qwen3Model,
        GemmaModel,
        Gemma2Model,
        Phi3Model,
        GPTNeoXModel,
        BloomModel,
        ModernBertModel,
        NomicBertModel,
        ViTModel,
    ],
)
def test_neurons_of_another_makes_feed_forward_are_not_cut(model_class):
    with pytest.raises(ValueError, match=r"type \w+ have no known feed-forward; .*: prune\(model, keep\)"):
        prune_feed_forward(tiny(model_class), 8)


@pytest.mark.parametrize("model_class", [*KNOWN, GPTBigCodeModel, LayoutLMModel, BigBirdModel])
def test_neurons_of_what_is_built_alike_are(model_class):
    model = tiny(model_class)
    torch.testing.assert_close(prune_feed_forward(model, 32)(IDS)[0], model(IDS)[0])
    assert prune_feed_forward(model, 8)(IDS)[0].isfinite().all()


def test_a_config_that_cannot_say_how_wide_is_told_apart_from_one_that_can():
    """A GPT-Neo has GPT-2's names, but calls the number of neurons otherwise."""
    from transformers import GPTNeoModel

    model = tiny(GPTNeoModel, attention_types=[[["global", "local"], 2]])
    with pytest.raises(ValueError, match="no GPTNeoConfig describes the cut model"):
        prune_feed_forward(model, 8)


# --- fewer heads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_class", [LlamaModel, DistilBertModel, GPT2Model, FNetModel, ConvBertModel])
def test_heads_are_cut_from_berts_layers_only(model_class):
    with pytest.raises(ValueError, match="heads can be cut from BERT's layers, not from a"):
        prune_heads(tiny(model_class), 1)


def test_heads_that_mix_are_not_cut():
    """Between a Nystromformer's heads lies a convolution that counts them."""
    with pytest.raises(ValueError, match="not from a NystromformerLayer"):
        prune_heads(tiny(NystromformerModel, num_landmarks=4, segment_means_seq_len=8, conv_kernel_size=3), 1)


# --- fewer layers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [[1, 3], [2], [2, 3, 4]])
@pytest.mark.parametrize("windows", [4, [4, 4, 4, 4], [4, 8, 4, 8]])
def test_a_config_that_counts_its_layers_is_refused(keep, windows):
    model = tiny(LongformerModel, attention_window=windows)
    with pytest.raises(ValueError, match="no LongformerConfig describes the cut model: .*attention_window"):
        prune(model, keep)


def test_what_a_config_derives_from_the_number_of_layers_is_refused():
    with pytest.raises(ValueError, match="no EsmConfig describes the cut model: (.|\n)*contact_head"):
        prune(tiny(EsmModel), [1, 3])
    with pytest.raises(ValueError, match="no MambaConfig describes the cut model: .*layer_types"):
        prune(tiny(MambaModel), [1, 3])


@pytest.mark.parametrize(
    ("keep", "fits"), [([1, 2], True), ([2, 3], False), ([2], False), ([1, 2, 4], False), ([1], True)]
)
def test_other_lists_with_an_entry_for_each_layer_are_not_shifted(keep, fits):
    """The second of every two layers of this SmolLM3 knows no positions."""
    model = tiny(SmolLM3Model, no_rope_layers=[1, 0, 1, 0])
    if fits:
        with only_layers(model, keep):
            expected = model(IDS, use_cache=False)[0]
        torch.testing.assert_close(prune(model, keep)(IDS)[0], expected)
    elif keep == [1, 2, 4]:  # 1, 0, 0 where the first three are 1, 0, 1
        with pytest.raises(ValueError, match=r"no_rope_layers has an entry for each layer, .*\[1, 2, 4\]"):
            prune(model, keep)
    else:
        with pytest.raises(ValueError, match="no_rope_layers has an entry for each layer"):
            prune(model, keep)


def test_a_list_that_names_every_layer_is_no_list_of_settings():
    """`full_attn_idxs` and the like: cut, its first numbers are those of the layers that stay."""
    model = tiny(BertModel)
    model.config.chosen_layers = [0, 1, 2, 3]
    with only_layers(model, [1, 3]):
        expected = model(IDS)[0]
    torch.testing.assert_close(prune(model, [1, 3])(IDS)[0], expected)


def test_lists_of_other_things_are_none_of_layers():
    """Four numbers in the config of a model of four layers."""
    model = tiny(BertModel)
    model.config.window_sizes = [7, 3, 2, 1]
    assert prune(model, [2, 3]).config.window_sizes == [7, 3, 2, 1]


def test_a_setting_that_is_a_list_counts_as_well():
    class Listed(BertModel):
        def __init__(self, config, **options):
            super().__init__(config, **options)
            for number, layer in enumerate(self.encoder.layer):
                layer.window = [16, 4 * (number % 2)]

    with pytest.raises(ValueError, match=r"layer 3 of a Listed would become layer 2, .*\(window\)"):
        prune(tiny(Listed), [1, 3])


def test_a_setting_that_is_true_or_false_is_no_number_of_a_layer():
    """Of the layers 2 and 1 these are 1 and 0, as are True and False."""

    class Odd(BertModel):
        def __init__(self, config, **options):
            super().__init__(config, **options)
            for number, layer in enumerate(self.encoder.layer):
                layer.shouts = bool(number % 2)

    with pytest.raises(ValueError, match=r"layer 2 of a Odd would become layer 1, .*\(shouts\)"):
        prune(tiny(Odd), [2, 4])
    assert prune(tiny(Odd), [1, 2]).config.num_hidden_layers == 2


@pytest.mark.parametrize("cut", [lambda part: prune(part, [1]), lambda part: prune_feed_forward(part, 8)])
def test_no_smaller_model_is_made_of_a_part(cut):
    with pytest.raises(ValueError, match="a BertEncoder is not a whole model of transformers"):
        cut(tiny(BertModel).encoder)


# --- where the layers are -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model_class", "changes", "parts"),
    [
        (Wav2Vec2Model, WAV2VEC2, ["feature_extractor", "encoder"]),
        (Wav2Vec2ForCTC, WAV2VEC2, ["wav2vec2.feature_extractor", "wav2vec2.encoder"]),
        (BartModel, {"d_model": 16}, ["encoder", "decoder"]),
        (T5Model, {"d_model": 16, "d_kv": 8, "d_ff": 32}, ["encoder", "decoder"]),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda model: LayerDrop(0.5).attach(model),
        lambda model: prune(model, [1]),
        lambda model: prune_feed_forward(model, 8),
        lambda model: prune_heads(model, 1),
        lambda model: find_layers(model),
    ],
)
def test_of_two_lists_of_layers_the_parts_to_choose_from_are_named(model_class, changes, parts, ask):
    model = tiny(model_class, **changes)
    named = " or ".join(f"model.{part}" for part in parts)
    with pytest.raises(ValueError, match=rf"2 lists of layers \(.*\); give the part that is meant: {named}$"):
        ask(model)
    for part in parts:
        assert len(find_layers(model.get_submodule(part))) >= 1, "what is named works"


def test_layers_of_wav2vec2_are_dropped_in_its_encoder():
    model = tiny(Wav2Vec2Model, **WAV2VEC2).train()
    sounds = torch.randn(2, 400, generator=torch.Generator().manual_seed(0))
    drop = LayerDrop(0.5).attach(model.encoder)
    drawn = set()
    for seed in range(6):
        drop.seed(seed)
        found = model(sounds)[0]
        drawn.add(tuple(drop.runs.tolist()))
        with only_layers(model.encoder, (drop.runs.nonzero().flatten() + 1).tolist()):
            drop.seed(seed)
            torch.testing.assert_close(model(sounds)[0], found)
    assert len(drawn) > 2
    drop.detach()
    assert untouched(model.encoder)


def test_lists_that_no_part_holds_alone_are_named_themselves():
    layers = find_layers(tiny(BertModel))
    both = nn.Module()
    both.stacks = nn.ModuleList([nn.ModuleList(layers[:2]), nn.ModuleList(layers[2:])])
    with pytest.raises(ValueError, match=r"meant: model.stacks\[0\] or model.stacks\[1\]$"):
        LayerDrop(0.5).attach(both)
    LayerDrop(0.5).attach(both.stacks[0]).detach()
    with pytest.raises(ValueError, match="Linear has no list of layers; give a BERT-like encoder or"):
        LayerDrop(0.5).attach(nn.Linear(2, 2))


# --- units of layers that only look like a known make -------------------------------------------------


REFUSED = [
    (BigBirdModel, "head"),  # it counts its heads where they are put together again
    (RemBertModel, "head"),
    (RoFormerModel, "head"),
    (ConvBertModel, "head"),
    (ConvBertModel, "sublayer"),  # its attention puts out no weights beside the states
    (EsmModel, "sublayer"),
    (LayoutLMModel, "sublayer"),
    (LayoutLMModel, "head"),
    (GPTBigCodeModel, "head"),  # one key for all heads
    (FNetModel, "head"),  # no heads at all
    (FNetModel, "sublayer"),
    (MambaModel, "head"),
    (MambaModel, "ffn"),
    (LlamaModel, "head"),
    (MixtralModel, "head"),
    (BloomModel, "ffn"),  # its feed-forward holds the residual connection
    (FalconModel, "ffn"),  # it adds to what its feed-forward puts out
    (NomicBertModel, "ffn"),  # a norm comes after the residual connection
]


@pytest.mark.parametrize(("model_class", "unit"), REFUSED)
def test_a_make_that_only_looks_like_a_known_one_is_refused_and_left_as_it_was(model_class, unit):
    model = tiny(model_class).train()
    modes = [module.training for module in model.modules()]
    with pytest.raises(ValueError, match="unit='layer'|unit='head' is not known"):
        LayerDrop(0.5, unit=unit).attach(model)
    assert untouched(model) and modes == [module.training for module in model.modules()]


TAKEN = [
    *((model_class, unit) for model_class in KNOWN for unit in UNITS),
    *((model_class, "layer") for model_class in (BigBirdModel, LlamaModel, ViTModel)),
    (BigBirdModel, "sublayer"),
    (RoFormerModel, "sublayer"),
    (ModernBertModel, "sublayer"),
    *((model_class, "ffn") for model_class in (BigBirdModel, ConvBertModel, LayoutLMModel, GPTBigCodeModel)),
    (FNetModel, "ffn"),
    *((model_class, "ffn") for model_class in (LlamaModel, Gemma2Model, Qwen3Model, GPTNeoXModel, ViTModel)),
]


@pytest.mark.parametrize(("model_class", "unit"), TAKEN)
def test_a_make_that_is_taken_runs_with_every_draw(model_class, unit):
    """And to try it leaves no trace: neither in the model nor in the random numbers."""
    model = tiny(model_class).train()
    x = torch.randn(2, 3, 32, 32) if model_class is ViTModel else IDS
    expected = model.eval()(x)[0]
    before, modes = torch.get_rng_state(), [module.training for module in model.train().modules()]
    drop = LayerDrop(0.5, unit=unit).attach(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert modes == [module.training for module in model.modules()]
    for seed in range(4):
        drop.seed(seed)
        assert model(x)[0].isfinite().all()
    assert torch.equal(model.eval()(x)[0], expected)
    drop.detach()
    assert untouched(model)


@pytest.mark.parametrize("model_class", [BigBirdModel, GPTBigCodeModel, LlamaModel, Gemma2Model, Qwen3Model])
def test_a_dropped_feed_forward_adds_nothing_in_other_makes_either(model_class):
    """As if its last matrix, and the norm behind it, gave zero."""
    model, plain = tiny(model_class).train(), tiny(model_class).train()
    drop = LayerDrop(0.5, "ffn").attach(model)
    found = model(IDS)[0]
    assert not drop.runs.all()
    ends = {"feed_forward_chunk": "output", "mlp": "mlp"}
    for layer, ran in zip(find_layers(plain), drop.runs.tolist(), strict=True):
        [end] = [name for mark, name in ends.items() if hasattr(layer, mark)]
        if not ran and end == "mlp":
            layer.mlp.forward = torch.zeros_like
        elif not ran:
            layer.output.forward = lambda out, states: states
    torch.testing.assert_close(found, plain(IDS)[0])


def test_frozen_layers_are_tried_as_well_and_stay_in_evaluation_mode():
    model = tiny(BertModel).train()
    model.encoder.layer[0].eval()
    LayerDrop(0.5, "head").attach(model)
    assert not any(module.training for module in model.encoder.layer[0].modules())


def test_a_model_in_half_precision_is_tried_in_it():
    for unit in UNITS:
        model = tiny(BertModel).bfloat16().train()
        LayerDrop(0.5, unit).attach(model)
        assert model(IDS)[0].dtype == torch.bfloat16


# --- saved whole --------------------------------------------------------------------------------------


def saved_by_torch(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("saved", [saved_by_torch, pickled])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("model_class", [BertModel, DistilBertModel, GPT2Model])
def test_a_model_is_saved_whole_with_its_layerdrop(model_class, unit, saved):
    """The loaded one goes on with the same draws, by itself, and can be given back."""
    model = tiny(model_class).train()
    drop = LayerDrop(0.5, unit, seed=3).attach(model)
    model(IDS)
    loaded, its_drop = saved((model, drop))
    for _ in range(4):
        assert torch.equal(model(IDS)[0], loaded(IDS)[0]) and torch.equal(drop.runs, its_drop.runs)
    loaded(IDS)
    model(IDS), model(IDS)
    assert torch.equal(model.eval()(IDS)[0], loaded.eval()(IDS)[0])
    its_drop.detach()
    assert untouched(loaded) and not untouched(model)
    plain = tiny(model_class)
    assert torch.equal(loaded(IDS)[0], plain(IDS)[0])


@pytest.mark.parametrize("unit", UNITS)
def test_a_model_is_saved_whole_inside_a_cut_on_trial(unit):
    model = tiny(BertModel).train()
    drop = LayerDrop(0.5, unit).attach(model)
    with only_layers(model, [1, 3]):
        loaded, its_drop = pickled((model, drop))
        for seed in range(3):
            drop.seed(seed), its_drop.seed(seed)
            assert torch.equal(model(IDS)[0], loaded(IDS)[0])


def test_a_loaded_model_is_a_process_of_its_own(tmp_path):
    """What a spawned process gets: only the pickle."""
    import subprocess
    import sys

    from course_lib.paths import ROOT

    model = tiny(BertModel).train()
    drop = LayerDrop(0.5, "sublayer").attach(model)
    torch.save((model, drop), tmp_path / "whole.pt")
    code = (
        "import sys, torch; model, drop = torch.load(sys.argv[1], weights_only=False); "
        "model(torch.tensor([[5, 6, 7]])); print(drop.runs.tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "whole.pt"], cwd=ROOT, capture_output=True, text=True
    )
    model(torch.tensor([[5, 6, 7]]))
    assert done.stdout.strip() == str(drop.runs.tolist()), done.stderr


@pytest.mark.parametrize("unit", ["sublayer", "ffn"])
def test_gates_drop_what_they_dropped_before_they_could_be_saved(unit):
    model = tiny(GPT2Model).train()
    drop = LayerDrop(0.5, unit).attach(model)
    loaded, its_drop = pickled((model, drop))
    found = loaded(IDS)[0]
    runs = its_drop.runs if unit == "sublayer" else torch.stack([torch.ones(4).bool(), its_drop.runs], 1)
    torch.testing.assert_close(found, by_hand(tiny(GPT2Model), IDS, runs))


# --- learned drop rates in other precisions -----------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_drop_rates_are_learned_in_every_precision(dtype):
    """Layers 2 and 3 make all the difference, so they are kept, whatever the weights are rounded to."""
    model = tiny(BertForSequenceClassification, num_labels=2)
    with torch.no_grad():
        for layer in (model.bert.encoder.layer[0], model.bert.encoder.layer[3]):  # these only norm
            layer.attention.output.dense.weight.zero_()
            layer.output.dense.weight.zero_()
        target = model(IDS).logits.argmax(-1)

    def learned(precision):
        kept, rates = data_driven(
            model.to(precision), lambda _: model(IDS, labels=target).loss, keep=2, steps=30
        )
        assert rates.dtype == torch.float32 and rates.isfinite().all()
        assert {parameter.dtype for parameter in model.parameters()} == {precision}
        return kept

    assert learned(torch.float32) == learned(dtype)


@pytest.mark.parametrize("model_class", [LlamaForCausalLM, BertForSequenceClassification])
def test_a_decoder_in_half_precision_learns_its_rates_too(model_class):
    model = tiny(model_class).bfloat16()
    labels = IDS if model_class is LlamaForCausalLM else torch.tensor([0, 1, 0])
    kept, rates = data_driven(model, lambda _: model(IDS, labels=labels).loss, keep=2, steps=2)
    assert len(kept) == 2 and rates.isfinite().all()


def test_a_loss_that_is_not_finite_chooses_no_layers():
    model = tiny(BertForSequenceClassification)
    with pytest.raises(ValueError, match=r"not finite; in half precision, try model.float\(\)"):
        data_driven(model, lambda _: model(IDS).logits.sum() * float("inf"), keep=2, steps=2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_cuts_keep_half_precision(dtype):
    model = tiny(BertModel).to(dtype)
    for cut in (prune(model, [1, 3]), prune_feed_forward(model, 8), prune_heads(model, 1)):
        assert cut(IDS)[0].dtype == dtype and cut(IDS)[0].isfinite().all()
