"""Is a layer of the make that it looks like? Names can deceive, so each layer is tried before it is trusted.

Shapes: H hidden size.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from course_lib.models.layer_makes import (
    Substitute,
    attention,
    feed_forward,
    head_projections,
    ways_without_attention,
)
from course_lib.models.part_gates import HeadGate, UnitGate, put_back


def check_parts(layer: nn.Module, unit: str, heads: int | None) -> None:
    """Tries what LayerDrop is going to put in the place of a layer's parts; names alone can deceive.

    Without its attention and its feed-forward, a layer must put out what enters it; without its attention
    alone, or one of its heads, it must run.

    Raises:
        ValueError: it does not, or its parts are not known.
    """
    if unit == "layer":
        return
    passes = True
    if unit != "ffn":
        passes = _try(layer, _left_out(layer, attention(layer))) is not None
    if unit == "head":
        passes &= heads == 1 or _try(layer, _without_first_head(layer, heads)) is not None
    else:
        ways = [attention(layer)] if unit == "sublayer" else ways_without_attention(layer)
        passes &= any(_is_unchanged(layer, [*way, *feed_forward(layer)]) for way in ways)
    if not passes:
        raise ValueError(
            f"unit={unit!r} is not known for layers of type {type(layer).__name__}; unit='layer' drops them "
            "as wholes"
        )


def _is_unchanged(layer: nn.Module, substitutes: list[Substitute]) -> bool:
    """Whether what enters the layer leaves it while `substitutes` stand in for all its parts."""
    tried = _try(layer, _left_out(layer, substitutes))
    return tried is not None and torch.equal(*tried)


def runs(layer: nn.Module) -> bool:
    """Whether the layer runs at all, given nothing but states."""
    return _try(layer, []) is not None


def _left_out(layer: nn.Module, substitutes: list[Substitute]) -> list[tuple[nn.Module, str, Any]]:
    nothing_runs = SimpleNamespace(runs=torch.tensor(False))
    return [
        (owner, name, UnitGate(nothing_runs, (), layer, owner, name, instead))
        for owner, name, instead in substitutes
    ]


def _without_first_head(layer: nn.Module, heads: int) -> list[tuple[nn.Module, str, Any]]:
    others_run = SimpleNamespace(runs=torch.arange(heads)[None] > 0)  # [1, heads]
    gates = []
    for projection in head_projections(layer):
        gates.append((projection.module, "forward", HeadGate(others_run, 0, layer, projection)))
        if projection.parts > 1:
            gates.append((projection.attention, "split_size", projection.attention.split_size))
    return gates


@torch.no_grad()
def _try(
    layer: nn.Module, replacements: list[tuple[nn.Module, str, Any]]
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Made-up states [1, 3, H] and what the layer puts out for them; None if it cannot be run so."""
    try:
        states = _made_up_states(layer)
        needed = list(inspect.signature(type(layer).forward).parameters.values())[2:]
        nothing = [
            None for each in needed if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
        ]
        with _standing_in(replacements), _as_in_training(layer):
            out = type(layer).forward(layer, states, *nothing)
        out = out[0] if isinstance(out, tuple) else out
        return (states, out) if out.shape == states.shape else None
    except Exception:  # whatever it is, this layer is not of the make that it looks like
        return None


def _made_up_states(layer: nn.Module) -> torch.Tensor:
    """[1, 3, H], as wide as what its first matrix takes in, and not normed."""
    first = next(module for module in layer.modules() if isinstance(module, nn.Linear | Conv1D))
    width = first.in_features if isinstance(first, nn.Linear) else first.nx
    like = next(parameter for parameter in layer.parameters() if parameter.is_floating_point())
    return torch.linspace(-1, 2, 3 * width).view(1, 3, width).to(like)


@contextmanager
def _standing_in(replacements: list[tuple[nn.Module, str, Any]]) -> Iterator[None]:
    before = [(owner, name, vars(owner).get(name)) for owner, name, _ in replacements]
    try:
        for owner, name, replacement in replacements:
            setattr(owner, name, replacement)
        yield
    finally:
        for owner, name, earlier_one in before:
            put_back(owner, name, earlier_one)


@contextmanager
def _as_in_training(layer: nn.Module) -> Iterator[None]:
    """The gates drop, but no dropout draws random numbers."""
    modes = [(module, module.training) for module in layer.modules()]
    layer.eval()
    layer.training = True
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
