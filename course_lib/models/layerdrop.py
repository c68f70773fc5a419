"""LayerDrop (Fan et al. 2019): in training, whole layers are left out at random.

A network trained so can later be cut to fewer layers (see `pruning.py`). `LayerDrop` attaches to the
layers of a `transformers` model from outside: no weight is added, renamed or moved, and after `detach`
nothing of it remains.

Shapes: L layers, U units that may be dropped (layers, sub-layers, heads or feed-forwards).
"""

import ast
import inspect
import math
import re
from collections.abc import Iterable
from functools import cache
from textwrap import dedent
from typing import Any

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from course_lib.models.layer_makes import attention, feed_forward, head_projections
from course_lib.models.layer_trial import check_parts
from course_lib.models.part_gates import HeadGate, UnitGate, earlier, put_back

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
    computed: what enters it leaves it. Nothing is rescaled, and in evaluation nothing is dropped; a layer
    that is in evaluation mode while others train (a frozen one) always runs.

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
        # Whose, which, what stands there now, and what was there before.
        self.patches: list[tuple[nn.Module, str, Any, Any]] = []

    def seed(self, number: int) -> None:
        """From here on the draws are those that follow `number`."""
        self.generator.manual_seed(number)
        self.reached: float = math.inf  # the next layer begins a forward pass

    def attach(self, model: nn.Module) -> "LayerDrop":
        """Takes hold of the model's layers.

        Raises:
            ValueError: it is attached already, or the model's layers are not of a known make, or they put
                out more than their states (where their code does not tell, the first pass raises it).
                Where a model has two lists of layers, the message names the parts to attach to.
        """
        layers = find_layers(model)
        if self.unit == "layer":
            check_can_be_skipped(layers)
        if self.patches or any(has_gate(layer) for layer in layers):
            raise ValueError("a LayerDrop is attached already; detach() it first")
        rates, columns = drop_rates(self.rate, len(layers), self.profile), self._columns(model)
        try:
            for depth, layer in enumerate(layers):
                check_parts(layer, self.unit, columns)
                self._guard_layer(layer, depth)
        except BaseException:  # a make whose parts are not known, say: leave it as it was
            self.detach()
            raise
        self.rates = rates if columns is None else rates[:, None].expand(-1, columns)
        self.runs = torch.ones_like(self.rates, dtype=torch.bool)
        self.reached = math.inf
        return self

    def detach(self) -> None:
        """Gives the model back as it was.

        Raises:
            ValueError: something was put before the gates and is still there: end the `only_layers` first.
        """
        for owner, name, gate, _ in self.patches:
            if callable(gate) and vars(owner).get(name) is not gate:
                raise ValueError(
                    f"something stands before LayerDrop in a {type(owner).__name__} (`only_layers`, a hook); "
                    "take that away before detach()"
                )
        for owner, name, gate, before in self.patches:
            put_back(owner, name, gate.before if isinstance(gate, LayerGate) else before)
        self.patches = []

    @torch.compiler.disable
    def reach(self, depth: int) -> None:
        """A layer in training mode is reached. The first one of a forward pass draws anew.

        Which one that is can change: layers below it may be skipped by `only_layers`, or frozen in
        evaluation mode. A pass goes up; so a layer that is no deeper than the last one begins another.
        """
        if depth <= self.reached:
            self.draw()
        self.reached = depth

    @torch.compiler.disable
    def draw(self) -> None:
        """Draws anew, once in every forward pass of a training step."""
        self.runs = draw(self.rates, self.generator)

    def _columns(self, model: nn.Module) -> int | None:
        """How many units a layer has, where it is not one itself."""
        if self.unit == "head":
            if not hasattr(model, "config"):
                raise ValueError(
                    f"unit='head' reads in a model's config how many heads there are; {type(model).__name__} "
                    "has none, so attach to the model inside it"
                )
            if not isinstance(getattr(model.config, "num_attention_heads", None), int):
                raise ValueError(
                    f"a {type(model).__name__} does not have the same number of heads in every layer; "
                    "unit='layer' drops its layers as wholes"
                )
            return model.config.num_attention_heads
        return 2 if self.unit == "sublayer" else None

    def _patch(self, owner: nn.Module, name: str, replacement: Any) -> None:
        """Puts `replacement` before what this one object calls `name`."""
        before = vars(owner).get(name)
        setattr(owner, name, replacement)
        self.patches.append((owner, name, replacement, before))

    def _guard_layer(self, layer: nn.Module, depth: int) -> None:
        self._patch(layer, "forward", LayerGate(self, depth, layer))
        if self.unit == "sublayer":
            self._guard_attention(layer, (depth, 0))
            self._guard_feed_forward(layer, (depth, 1))
        if self.unit == "ffn":
            self._guard_feed_forward(layer, (depth,))
        if self.unit == "head":
            self._guard_heads(layer, depth)

    def _guard_attention(self, layer: nn.Module, unit: tuple[int, ...] | int) -> None:
        for owner, name, instead in attention(layer):
            self._patch(owner, name, UnitGate(self, unit, layer, owner, name, instead))

    def _guard_feed_forward(self, layer: nn.Module, unit: tuple[int, ...]) -> None:
        for owner, name, instead in feed_forward(layer):
            self._patch(owner, name, UnitGate(self, unit, layer, owner, name, instead))

    def _guard_heads(self, layer: nn.Module, depth: int) -> None:
        self._guard_attention(layer, depth)  # skipped where a layer's heads are all dropped
        for projection in head_projections(layer):
            self._patch(projection.module, "forward", HeadGate(self, depth, layer, projection))
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
    if not names:
        raise ValueError(
            f"{type(model).__name__} has no list of layers; give a BERT-like encoder or GPT-like decoder of "
            "transformers"
        )
    if len(names) > 1:
        raise ValueError(
            f"{type(model).__name__} has {len(names)} lists of layers ({', '.join(names)}); give the part "
            f"that is meant: {' or '.join(f'model.{_part_with(name, names)}' for name in names)}"
        )
    return names[0]


def _part_with(name: str, names: list[str]) -> str:
    """The part of a model that holds this list of layers and no other: the one around it, if that is one."""
    around = name.rpartition(".")[0]
    alone = around and sum(each.startswith(f"{around}.") for each in names) == 1
    return re.sub(r"\.(\d+)", r"[\1]", around if alone else name)


# --- what may be skipped ----------------------------------------------------------------------------
#
# Of some makes (T5, RoFormer, GPT-Neo) a layer puts out a tuple, and the model takes its first item. Of
# the tensor [B, T, H] that a skipped layer hands on, that would be the first text [T, H], and nothing would
# tell. The annotations do not say which makes these are; the code often does, and the first pass always.


def check_can_be_skipped(layers: Iterable[nn.Module]) -> None:
    """Refuses layers whose code says that they put out a tuple.

    Raises:
        ValueError: it does.
    """
    for layer in layers:
        if _returns_a_tuple(type(layer)):
            raise _cannot_be_skipped(layer)


@torch.compiler.disable
def checked_states(states: Any, layer: nn.Module) -> torch.Tensor:
    """`states`, if they can be what enters or leaves a layer that may be skipped: a tensor [B, T, H].

    Raises:
        ValueError: they cannot.
    """
    if not isinstance(states, torch.Tensor) or states.dim() < 3:
        raise _cannot_be_skipped(layer)
    return states


@cache
def _returns_a_tuple(layer_class: type[nn.Module]) -> bool:
    """Whether every `return` of its `forward` spells out a tuple: `(states, weights)`, `(states,) + more`."""
    try:
        code = ast.parse(dedent(inspect.getsource(inspect.unwrap(layer_class.forward))))
    except OSError:  # no source at hand
        return False
    found = [node.value for node in ast.walk(code) if isinstance(node, ast.Return)]
    firsts = [value.left if isinstance(value, ast.BinOp) else value for value in found]
    return bool(firsts) and all(isinstance(first, ast.Tuple) for first in firsts)


def _cannot_be_skipped(layer: nn.Module) -> ValueError:
    return ValueError(
        f"layers of type {type(layer).__name__} cannot be skipped: they do not put out a tensor [B, T, H] "
        "and nothing else, so their model would misread what a skipped layer hands on"
    )


# --- what stands before a layer (for its parts, see `part_gates.py`) ------------------------------------


class LayerGate:
    """Stands before a layer. The one that a forward pass comes to first makes the draw."""

    def __init__(self, drop: LayerDrop, depth: int, layer: nn.Module):
        self.drop, self.depth, self.layer = drop, depth, layer
        self.before = vars(layer).get("forward")  # a hook's, or one of `only_layers`; None: its class's

    @torch.compiler.disable(recursive=False)
    def __call__(self, hidden_states: torch.Tensor, *rest: Any, **options: Any) -> Any:
        if self.drop.unit == "layer":
            checked_states(hidden_states, self.layer)
        if self.layer.training:
            self.drop.reach(self.depth)
            if self.drop.unit == "layer" and not self.drop.runs[self.depth]:
                return hidden_states
        states = earlier(self.layer, "forward", self.before)(hidden_states, *rest, **options)
        return checked_states(states, self.layer) if self.drop.unit == "layer" else states


def has_gate(layer: nn.Module) -> bool:
    """Whether a LayerDrop is attached to the layer, be it inside an `only_layers`."""
    return any(isinstance(one, LayerGate) for one in (layer.forward, getattr(layer.forward, "before", None)))
