"""The makes of layers whose parts are known: BERT's, DistilBERT's, GPT-2's, and those built like them.

A part is left out by putting something in its place, so that the residual connection around it carries the
states on unchanged. Layers can bear the same names and be built otherwise; `LayerDrop` therefore tries what
stands here on every layer before it trusts it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

Substitute = tuple[nn.Module, str, Callable[[torch.Tensor], Any]]  # whose method, its name, what stands in


def _unchanged(states: torch.Tensor) -> torch.Tensor:
    return states


def _unchanged_without_weights(states: torch.Tensor) -> tuple[torch.Tensor, None]:
    """As an attention puts it out, with its weights in the second place."""
    return states, None


def _nothing(states: torch.Tensor) -> torch.Tensor:
    """What a residual connection may add without effect."""
    return states.new_zeros(())


def _nothing_without_weights(states: torch.Tensor) -> tuple[torch.Tensor, None]:
    return _nothing(states), None


def _zeros_without_weights(states: torch.Tensor) -> tuple[torch.Tensor, None]:
    return torch.zeros_like(states), None


# Whether its module holds the residual connection or not, and puts out its weights or not.
_ATTENTION = (_unchanged_without_weights, _unchanged, _zeros_without_weights, torch.zeros_like)


def attention(layer: nn.Module) -> list[Substitute]:
    """What to leave out so that the attention sub-layer is the identity."""
    if hasattr(layer, "feed_forward_chunk") and hasattr(layer, "attention"):
        # BERT, RoBERTa: the module holds its residual connection
        return [(layer.attention, "forward", _unchanged_without_weights)]
    if hasattr(layer, "sa_layer_norm"):  # DistilBERT: the norm comes after the residual connection
        return [
            (layer.attention, "forward", _nothing_without_weights),
            (layer.sa_layer_norm, "forward", _unchanged),
        ]
    if hasattr(layer, "attn"):  # GPT-2: the norm comes first
        return [(layer.attn, "forward", _nothing_without_weights)]
    raise ValueError(f"only unit='layer' is known for layers of type {type(layer).__name__}")


def ways_without_attention(layer: nn.Module) -> list[list[Substitute]]:
    """What may leave out the attention of a layer of which only the feed-forward need be known."""
    try:
        ways = [attention(layer)]
    except ValueError:
        ways = []
    for name in ("attention", "attn", "self_attn", "self_attention", "fourier"):
        if hasattr(layer, name):
            ways += [[(getattr(layer, name), "forward", instead)] for instead in _ATTENTION]
    return ways


def feed_forward(layer: nn.Module) -> list[Substitute]:
    """What to leave out so that the feed-forward sub-layer is the identity."""
    if hasattr(layer, "feed_forward_chunk"):
        return [(layer, "feed_forward_chunk", _unchanged)]
    if hasattr(layer, "sa_layer_norm"):
        return [
            (layer.ffn, "forward", _nothing),
            (layer.output_layer_norm, "forward", _unchanged),
        ]
    if hasattr(layer, "mlp"):
        return [(layer.mlp, "forward", _nothing)]
    raise ValueError(f"only unit='layer' is known for layers of type {type(layer).__name__}")


@dataclass
class HeadProjection:
    """A linear module of the self-attention whose features belong to heads.

    Fields:
        parts: how often the heads stand side by side in what it puts out: 1 for a query, a key or a
            value, 3 for all in one (GPT-2), 0 where the heads are what comes in.
    """

    attention: nn.Module
    module: nn.Module
    parts: int


def head_projections(layer: nn.Module) -> list[HeadProjection]:
    if hasattr(layer, "feed_forward_chunk") and hasattr(layer.attention, "self"):
        attention = layer.attention.self
        into, out = [attention.query, attention.key, attention.value], layer.attention.output.dense
    elif hasattr(layer, "sa_layer_norm"):
        attention = layer.attention
        into, out = [attention.q_lin, attention.k_lin, attention.v_lin], attention.out_lin
    elif hasattr(layer, "attn") and hasattr(layer.attn, "c_attn"):
        attention = layer.attn
        into, out = [attention.c_attn], attention.c_proj
    else:
        raise ValueError(f"unit='head' is not known for layers of type {type(layer).__name__}")
    parts = 3 // len(into)
    return [HeadProjection(attention, module, parts) for module in into] + [HeadProjection(attention, out, 0)]
