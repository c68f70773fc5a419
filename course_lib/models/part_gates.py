"""What LayerDrop puts before the parts of layers: gates that let a forward pass through, or leave a part out.

They are objects, not closures, so that copy.deepcopy of a model gives gates of its own to the copy, and so
that a model can be pickled with them. For the latter they hold no bound method either: loaded, it would be
what the object then calls so, the gate itself.
`torch.compiler.disable(recursive=False)` keeps the decision out of the compiled graph, where the first
draw would be frozen for ever; what lies behind the gate is compiled.
"""

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from course_lib.models.layer_makes import HeadProjection


class Draw(Protocol):
    """What tells the gates which parts run: a `LayerDrop`."""

    runs: torch.Tensor


class UnitGate:
    """Stands before a part of a layer, with what the part returns where it is dropped."""

    def __init__(self, drop: Draw, unit, layer: nn.Module, owner: nn.Module, name: str, instead: Callable):
        self.drop, self.unit, self.layer, self.instead = drop, unit, layer, instead
        self.owner, self.name, self.before = owner, name, vars(owner).get(name)
        # transformers counts a feed-forward's arguments
        self.__signature__ = inspect.signature(getattr(owner, name))

    @torch.compiler.disable(recursive=False)
    def __call__(self, hidden_states: torch.Tensor, *rest: Any, **options: Any):
        if self.layer.training and not self.drop.runs[self.unit].any():
            return self.instead(hidden_states)
        return earlier(self.owner, self.name, self.before)(hidden_states, *rest, **options)


class HeadGate:
    """Stands before a projection into heads (query, key, value) or out of them, and cuts its weights."""

    def __init__(self, drop: Draw, depth: int, layer: nn.Module, projection: HeadProjection):
        self.drop, self.depth, self.layer, self.projection = drop, depth, layer, projection

    @torch.compiler.disable(recursive=False)
    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        module, parts = self.projection.module, self.projection.parts
        runs = self.drop.runs[self.depth]  # [heads]
        if not self.layer.training or runs.all():
            runs = torch.ones_like(runs)
        weight = module.weight.T if isinstance(module, Conv1D) else module.weight  # [out, in]
        width = weight.shape[0 if parts else 1] // max(parts, 1) // len(runs)  # of one head
        kept = runs.repeat_interleave(width).repeat(max(parts, 1)).nonzero().squeeze(1).to(weight.device)
        if parts > 1:
            self.projection.attention.split_size = len(kept) // parts
        if runs.all():
            return type(module).forward(module, states)
        if parts:
            return linear(states, weight[kept], module.bias[kept])
        return linear(states, weight[:, kept], module.bias)


def put_back(owner: nn.Module, name: str, before: Any) -> None:
    """Gives the object what it called `name` before; None: what its class calls so."""
    if before is None:
        delattr(owner, name)
    else:
        setattr(owner, name, before)


def earlier(owner: nn.Module, name: str, before: Any) -> Callable:
    """What the object called `name` before something was put there; None: the method of its class."""
    return getattr(type(owner), name).__get__(owner) if before is None else before
