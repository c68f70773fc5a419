"""LayerDrop (Fan et al. 2019): in training, whole layers are left out at random.

A network trained so can later be cut to fewer layers (see `pruning.py`). `LayerDrop` attaches to the
layers of a `transformers` model from outside: no weight is added, renamed or moved, and after `detach`
nothing of it remains.

Shapes: L layers, U units that may be dropped (layers, sub-layers, heads or feed-forwards).
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.pytorch_utils import Conv1D

UNITS = ("layer", "sublayer", "head", "ffn")
PROFILES = ("constant", "linear")


def drop_rates(rate: float, num_layers: int, profile: str = "constant") -> torch.Tensor:
    """Every layer's drop rate [L].

    Args:
        rate: in [0, 1).
        profile: "constant", the same for every layer (the LayerDrop paper, section 3.1), or "linear",
            rising with the depth from rate / L to `rate` (stochastic depth, Huang et al. 2016, section 3).

    Raises:
        ValueError: a rate outside [0, 1), or an unknown profile.
    """
    if not 0 <= rate < 1:  # false for NaN as well
        raise ValueError(f"the drop rate must lie in [0, 1), not {rate}")
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {PROFILES}, not {profile!r}")
    if profile == "constant":
        return torch.full((num_layers,), float(rate))
    return rate * torch.arange(1, num_layers + 1) / num_layers


def draw(rates: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """One draw: which units run, as booleans in the shape of `rates`. At least one always does."""
    runs = torch.rand(rates.shape, generator=generator) >= rates
    if not runs.any():
        spared = torch.randint(rates.numel(), (), generator=generator)
        runs.view(-1)[spared] = True
    return runs


class LayerDrop:
    """Leaves units out of the training steps of a BERT-like encoder or a GPT-like decoder.

    There is one draw for each forward pass, the same for the whole batch and, since every process draws
    from an equally seeded generator, for all processes of a distributed run. A dropped unit is not
    computed: what enters it leaves it. Nothing is rescaled, and in evaluation nothing is dropped.

    Args:
        rate: how often a unit is dropped, in [0, 1); with profile "linear", the last layer's.
        unit: "layer"; "sublayer" (a layer's attention and its feed-forward are drawn separately);
            "head" (of the self-attention); "ffn" (feed-forwards).
        profile: see `drop_rates`.
        seed: of the draws.

    Fields:
        runs: the last draw; booleans [L], or [L, 2] for "sublayer" and [L, heads] for "head".

    With gradient checkpointing every unit but "layer" is looked up inside what is computed twice, so
    `backward` must come before the next forward pass (and its draw), as it does in any usual loop.
    """

    def __init__(self, rate: float, unit: str = "layer", profile: str = "constant", seed: int = 0):
        drop_rates(rate, 1, profile)  # refuses what it must
        if unit not in UNITS:
            raise ValueError(f"unit must be one of {UNITS}, not {unit!r}")
        self.rate, self.unit, self.profile = rate, unit, profile
        self.generator = torch.Generator()
        self.seed(seed)
        self.runs: torch.Tensor | None = None
        self.patches: list[tuple[nn.Module, str, Any]] = []  # whose, which, and what was there before

    def seed(self, number: int) -> None:
        """From here on the draws are those that follow `number`."""
        self.generator.manual_seed(number)

    def attach(self, model: nn.Module) -> "LayerDrop":
        """Takes hold of the model's layers.

        Raises:
            ValueError: it is attached already, or the model's layers are not of a known make.
        """
        layers = find_layers(model)
        if self.patches or any(isinstance(layer.forward, _LayerGate) for layer in layers):
            raise ValueError("a LayerDrop is attached already; detach() it first")
        rates = drop_rates(self.rate, len(layers), self.profile)
        try:
            for depth, layer in enumerate(layers):
                self._guard_layer(layer, depth)
        except ValueError:  # a make whose parts are not known: leave it as it was
            self.detach()
            raise
        columns = {"sublayer": 2, "head": model.config.num_attention_heads}.get(self.unit)
        self.rates = rates if columns is None else rates[:, None].expand(-1, columns)
        self.runs = torch.ones_like(self.rates, dtype=torch.bool)
        return self

    def detach(self) -> None:
        """Gives the model back as it was."""
        for owner, name, before in self.patches:
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        self.patches = []

    @torch.compiler.disable
    def draw(self) -> None:
        """Draws anew. The first layer calls it, in every forward pass of a training step."""
        self.runs = draw(self.rates, self.generator)

    def _patch(self, owner: nn.Module, name: str, replacement: Any) -> None:
        """Puts `replacement` before what this one object calls `name`."""
        self.patches.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, replacement)

    def _guard_layer(self, layer: nn.Module, depth: int) -> None:
        self._patch(layer, "forward", _LayerGate(self, depth, layer))
        if self.unit == "sublayer":
            self._guard_attention(layer, (depth, 0))
            self._guard_feed_forward(layer, (depth, 1))
        if self.unit == "ffn":
            self._guard_feed_forward(layer, (depth,))
        if self.unit == "head":
            self._guard_heads(layer, depth)

    def _guard_attention(self, layer: nn.Module, unit: tuple[int, ...] | int) -> None:
        for owner, name, instead in _attention(layer):
            self._patch(owner, name, _UnitGate(self, unit, layer, getattr(owner, name), instead))

    def _guard_feed_forward(self, layer: nn.Module, unit: tuple[int, ...]) -> None:
        for owner, name, instead in _feed_forward(layer):
            self._patch(owner, name, _UnitGate(self, unit, layer, getattr(owner, name), instead))

    def _guard_heads(self, layer: nn.Module, depth: int) -> None:
        self._guard_attention(layer, depth)  # skipped where a layer's heads are all dropped
        for projection in _head_projections(layer):
            self._patch(projection.module, "forward", _HeadGate(self, depth, layer, projection))
            if projection.parts > 1:  # the gate changes it; so it must be put back
                self._patch(projection.attention, "split_size", projection.attention.split_size)


def find_layers(model: nn.Module) -> nn.ModuleList:
    """The Transformer layers of a model of `transformers`.

    Raises:
        ValueError: there is no such list of layers, or more than one (an encoder and a decoder).
    """
    return model.get_submodule(find_layers_name(model))


def find_layers_name(model: nn.Module) -> str:
    """Where `find_layers` finds them: "bert.encoder.layer", say."""
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList)
        and len(module) > 0
        and all(isinstance(layer, GradientCheckpointingLayer) for layer in module)
    ]
    if len(names) != 1:
        found = "no list of layers" if not names else f"{len(names)} lists of layers ({', '.join(names)})"
        raise ValueError(f"{type(model).__name__} has {found}; give a BERT-like encoder or GPT-like decoder")
    return names[0]


# --- what stands before the methods of the layers --------------------------------------------------
#
# They are objects, not closures, so that copy.deepcopy of a model gives gates of its own to the copy.
# `torch.compiler.disable(recursive=False)` keeps the decision out of the compiled graph, where the first
# draw would be frozen for ever; what lies behind the gate is compiled.


class _LayerGate:
    """Stands before a layer. The first layer's gate makes the draw."""

    def __init__(self, drop: LayerDrop, depth: int, layer: nn.Module):
        self.drop, self.depth, self.layer = drop, depth, layer

    @torch.compiler.disable(recursive=False)
    def __call__(self, hidden_states: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
        if self.layer.training:
            if self.depth == 0:
                self.drop.draw()
            if self.drop.unit == "layer" and not self.drop.runs[self.depth]:
                return hidden_states
        return type(self.layer).forward(self.layer, hidden_states, *rest, **options)


class _UnitGate:
    """Stands before a part of a layer, with what the part returns where it is dropped."""

    def __init__(self, drop: LayerDrop, unit, layer: nn.Module, original: Callable, instead: Callable):
        self.drop, self.unit, self.layer, self.original, self.instead = drop, unit, layer, original, instead
        self.__signature__ = inspect.signature(original)  # transformers counts a feed-forward's arguments

    @torch.compiler.disable(recursive=False)
    def __call__(self, hidden_states: torch.Tensor, *rest: Any, **options: Any):
        if self.layer.training and not self.drop.runs[self.unit].any():
            return self.instead(hidden_states)
        return self.original(hidden_states, *rest, **options)


class _HeadGate:
    """Stands before a projection into heads (query, key, value) or out of them, and cuts its weights."""

    def __init__(self, drop: LayerDrop, depth: int, layer: nn.Module, projection: "HeadProjection"):
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


# --- the three makes of layers ---------------------------------------------------------------------

Substitute = tuple[nn.Module, str, Callable[[torch.Tensor], Any]]  # whose method, its name, what stands in


def _nothing(states: torch.Tensor) -> torch.Tensor:
    """What a residual connection may add without effect."""
    return states.new_zeros(())


def _attention(layer: nn.Module) -> list[Substitute]:
    """What to leave out so that the attention sub-layer is the identity."""
    if hasattr(layer, "feed_forward_chunk"):  # BERT, RoBERTa: the module holds its residual connection
        return [(layer.attention, "forward", lambda states: (states, None))]
    if hasattr(layer, "sa_layer_norm"):  # DistilBERT: the norm comes after the residual connection
        return [
            (layer.attention, "forward", lambda states: (_nothing(states), None)),
            (layer.sa_layer_norm, "forward", lambda states: states),
        ]
    if hasattr(layer, "attn"):  # GPT-2: the norm comes first
        return [(layer.attn, "forward", lambda states: (_nothing(states), None))]
    raise ValueError(f"only unit='layer' is known for layers of type {type(layer).__name__}")


def _feed_forward(layer: nn.Module) -> list[Substitute]:
    """What to leave out so that the feed-forward sub-layer is the identity."""
    if hasattr(layer, "feed_forward_chunk"):
        return [(layer, "feed_forward_chunk", lambda states: states)]
    if hasattr(layer, "sa_layer_norm"):
        return [
            (layer.ffn, "forward", _nothing),
            (layer.output_layer_norm, "forward", lambda states: states),
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


def _head_projections(layer: nn.Module) -> list[HeadProjection]:
    if hasattr(layer, "feed_forward_chunk"):
        attention = layer.attention.self
        into, out = [attention.query, attention.key, attention.value], layer.attention.output.dense
    elif hasattr(layer, "sa_layer_norm"):
        attention = layer.attention
        into, out = [attention.q_lin, attention.k_lin, attention.v_lin], attention.out_lin
    elif hasattr(layer.attn, "c_attn"):
        attention = layer.attn
        into, out = [attention.c_attn], attention.c_proj
    else:
        raise ValueError(f"unit='head' is not known for layers of type {type(layer).__name__}")
    parts = 3 // len(into)
    return [HeadProjection(attention, module, parts) for module in into] + [HeadProjection(attention, out, 0)]
