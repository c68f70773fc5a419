"""Narrower instead of shallower: layers that keep only their strongest neurons, or their strongest heads.

Fan et al. 2019, section 3.1, name heads and feed-forward matrices beside whole layers as what may be
dropped in groups. A feed-forward with fewer neurons is still a plain model of `transformers`; an attention
with fewer heads is not, since no config can say that heads of the same width are fewer. Lesson 4.14 measures
what time each brings.
"""

import copy
from numbers import Integral

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from course_lib.models.layer_trial import runs
from course_lib.models.layerdrop import find_layers
from course_lib.models.pruning import check_is_whole, described_by


def prune_feed_forward(model: PreTrainedModel, width: int) -> PreTrainedModel:
    """A new model of the same class whose feed-forwards have `width` neurons each, the strongest.

    A neuron's strength is the norm of the weights that enter it times the norm of those that leave it.

    Raises:
        ValueError: `width` is not between 1 and what there is, or the model's layers are of no known make, or
            `model` is only a part of one.
    """
    check_is_whole(model)
    layers = find_layers(model)
    pairs = [_matrices(layer) for layer in layers]
    total = _rows(pairs[0][0]).shape[0]
    _check_number(width, total, "neurons")
    config = copy.deepcopy(model.config)
    setattr(config, _width_name(layers[0]), width)
    kept = [strongest(into, out, width) for into, out in pairs]
    weights = model.state_dict()
    for layer, (into, out), neurons in zip(layers, pairs, kept, strict=True):
        prefix = _name_of(model, layer)
        for module, is_into in ((into, True), (out, False)):
            key = f"{prefix}.{_name_of(layer, module)}"
            across = is_into == isinstance(module, Conv1D)  # where the neurons are the weight's columns
            weights[f"{key}.weight"] = weights[f"{key}.weight"].index_select(int(across), neurons)
            if is_into:
                weights[f"{key}.bias"] = weights[f"{key}.bias"][neurons]
    with described_by(config):
        narrower = type(model)(config).to(device=model.device, dtype=model.dtype)
        narrower.load_state_dict(weights)
    return narrower.train(model.training)


def prune_heads(model: PreTrainedModel, heads: int) -> PreTrainedModel:
    """A copy of a BERT-like model whose layers have `heads` heads each, the strongest, of the same width.

    A head's strength is the norm of its value weights times the norm of the output weights that it meets.
    The copy runs and can be trained on, but its config cannot describe it: `from_pretrained` will not load
    what `save_pretrained` writes. Its results are those of the whole model with the other heads silenced.

    Raises:
        ValueError: `heads` is not between 1 and what there is, or the layers are not BERT's.
    """
    narrower = copy.deepcopy(model)
    for layer in find_layers(narrower):
        try:
            _cut_heads(layer, heads)
        except (AttributeError, IndexError, RuntimeError, TypeError):  # its parts have other names or sizes
            raise _not_berts(layer) from None
        if not runs(layer):
            raise _not_berts(layer)
    return narrower


def _cut_heads(layer: nn.Module, heads: int) -> None:
    if not hasattr(layer, "feed_forward_chunk"):
        raise _not_berts(layer)
    attention, out = layer.attention.self, layer.attention.output
    total, width = attention.num_attention_heads, attention.attention_head_size
    _check_number(heads, total, "heads")
    strength = attention.value.weight.view(total, -1).norm(dim=1) * (
        out.dense.weight.view(-1, total, width).norm(dim=(0, 2))
    )  # [heads]
    kept = strength.topk(heads).indices.sort().values
    features = torch.arange(total * width, device=kept.device).view(total, width)[kept].flatten()
    for name in ("query", "key", "value"):
        old = getattr(attention, name)
        setattr(attention, name, _linear(old.weight[features], old.bias[features]))
    out.dense = _linear(out.dense.weight[:, features], out.dense.bias)
    attention.num_attention_heads, attention.all_head_size = heads, heads * width


def _not_berts(layer: nn.Module) -> ValueError:
    return ValueError(f"heads can be cut from BERT's layers, not from a {type(layer).__name__}")


def _check_number(keep: int, total: int, parts: str) -> None:
    if not (isinstance(keep, Integral) and 1 <= keep <= total):
        raise ValueError(f"of {total} {parts}, between 1 and {total} can be kept, not {keep!r}")


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    module = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device, dtype=weight.dtype)
    module.load_state_dict({"weight": weight, "bias": bias})
    return module


def strongest(into: nn.Module, out: nn.Module, width: int) -> torch.Tensor:
    """The numbers [width], rising, of the neurons between two linear modules that weigh most."""
    strength = _rows(into).norm(dim=1) * _rows(out).norm(dim=0)  # [neurons]
    return strength.topk(width).indices.sort().values


def _rows(module: nn.Module) -> torch.Tensor:
    """The weight as [out, in], as `nn.Linear` has it; GPT-2's Conv1D has it the other way round."""
    return module.weight.T if isinstance(module, Conv1D) else module.weight


def _matrices(layer: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The two linear modules of a layer's feed-forward.

    Raises:
        ValueError: the layer is of another make, or has something else there: a third, a gate, experts.
    """
    pair = None
    if hasattr(layer, "feed_forward_chunk") and hasattr(layer, "intermediate"):
        pair = layer.intermediate.dense, layer.output.dense
    elif hasattr(layer, "sa_layer_norm"):
        pair = layer.ffn.lin1, layer.ffn.lin2
    elif hasattr(layer, "mlp") and hasattr(layer.mlp, "c_fc") and hasattr(layer.mlp, "c_proj"):
        pair = layer.mlp.c_fc, layer.mlp.c_proj
    if pair is None or not all(isinstance(each, nn.Linear | Conv1D) for each in pair):
        raise ValueError(
            f"layers of type {type(layer).__name__} have no known feed-forward; neurons can be cut from "
            "layers like BERT's, DistilBERT's and GPT-2's, whole layers from many more: prune(model, keep)"
        )
    return pair


def _width_name(layer: nn.Module) -> str:
    """What the config calls the number of neurons."""
    if hasattr(layer, "feed_forward_chunk"):
        return "intermediate_size"
    return "hidden_dim" if hasattr(layer, "sa_layer_norm") else "n_inner"


def _name_of(model: nn.Module, part: nn.Module) -> str:
    return next(name for name, module in model.named_modules() if module is part)
