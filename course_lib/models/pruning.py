"""Cutting a trained network to fewer layers: which ones stay, and the smaller model.

Fan et al. 2019, section 3.2. A strategy answers with the depths that are kept, 1-based and rising;
`prune` makes of them a plain model of `transformers`, which needs none of this course's code.

Shapes: L layers, B texts, H hidden size.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations, pairwise
from numbers import Integral
from operator import index

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from tqdm.auto import tqdm
from transformers import PreTrainedConfig, PreTrainedModel

from course_lib.models.layerdrop import (
    LayerGate,
    check_can_be_skipped,
    checked_states,
    find_layers,
    find_layers_name,
)
from course_lib.models.part_gates import earlier, put_back


def checked_keep(keep: Sequence[int], num_layers: int) -> list[int]:
    """The depths as a list, if a network of `num_layers` can be cut to them.

    Raises:
        ValueError: no depth, one outside 1..L, or depths that do not rise.
    """
    try:
        depths = [index(depth) for depth in keep]
    except TypeError:
        raise ValueError(f"keep must be a list of depths in 1..{num_layers}, not {keep!r}") from None
    if not depths or not all(1 <= depth <= num_layers for depth in depths):
        raise ValueError(f"keep must name depths in 1..{num_layers}, at least one of them, not {depths}")
    if any(left >= right for left, right in pairwise(depths)):
        raise ValueError(f"keep must name depths in 1..{num_layers}, each once and rising, not {depths}")
    return depths


def _checked_number(keep: int, num_layers: int) -> None:
    if not (isinstance(keep, Integral) and 1 <= keep <= num_layers):
        raise ValueError(f"of {num_layers} layers, between 1 and {num_layers} can be kept, not {keep!r}")


# --- strategies ------------------------------------------------------------------------------------


def recommended_rate(num_layers: int, keep: int) -> float:
    """The drop rate for a network that will be cut to `keep` layers: p* = 1 - r/N (paper, section 3.2).

    A guide only: the paper's own experiments train with 0.2 whatever they prune to.
    """
    _checked_number(keep, num_layers)
    return 1 - keep / num_layers


def every_other(num_layers: int, keep: int) -> list[int]:
    """Evenly spaced depths; the paper's "Every Other" strategy.

    The paper drops the depths d with d = 0 mod floor(1/p), for p = 1 - keep/L. Where that leaves exactly
    `keep` layers, it is what is returned. It need not: p = 0.4 would drop every second layer, and p > 0.5
    every single one. There the depths 1, 1 + L/keep, 1 + 2 L/keep, … are kept, rounded down.
    """
    _checked_number(keep, num_layers)
    if keep < num_layers:
        period = num_layers // (num_layers - keep)  # floor(1/p)
        by_the_paper = [depth for depth in range(1, num_layers + 1) if depth % period]
        if len(by_the_paper) == keep:
            return by_the_paper
    return [1 + number * num_layers // keep for number in range(keep)]


def search_on_valid(
    score: Callable[[list[int]], float],
    num_layers: int,
    keep: int,
    method: str = "greedy",
    max_trials: int = 1000,
) -> list[int]:
    """The depths with the best score on validation data (the paper's "Search on Valid").

    Args:
        score: depths -> a figure, the higher the better; `with only_layers(model, depths)` helps.
        method: "greedy" takes out one layer after the other, always the one that is missed least;
            "exhaustive" tries all subsets of `keep` layers.
        max_trials: how many calls of `score` may be made.

    Raises:
        ValueError: the search would need more than `max_trials`.
    """
    _checked_number(keep, num_layers)
    trials = {
        "greedy": sum(range(keep + 1, num_layers + 1)),
        "exhaustive": math.comb(num_layers, keep),
    }
    if method not in trials:
        raise ValueError(f"method must be one of {list(trials)}, not {method!r}")
    if trials[method] > max_trials:
        raise ValueError(f"{method} needs {trials[method]} trials; max_trials is {max_trials}")

    with tqdm(total=trials[method], desc=f"search, {method}", leave=False) as bar:

        def tried(depths: Sequence[int]) -> float:
            bar.update()
            return score(list(depths))

        kept = tuple(range(1, num_layers + 1))
        if method == "exhaustive":
            return list(max(combinations(kept, keep), key=tried))
        while len(kept) > keep:
            kept = max(combinations(kept, len(kept) - 1), key=tried)
    return list(kept)


class LayerRates(nn.Module):
    """Learns how much each layer is needed (the paper's "Data-Driven Pruning").

    A layer's score is a non-linear function of its activation; a softmax over the layers shares out
    `keep` among them. So the mean drop rate is 1 - keep/L, as the paper asks (before `data_driven` caps a
    share at 1), and what one layer gains the others lose.
    """

    def __init__(self, num_layers: int, hidden_size: int, keep: int, width: int = 16):
        super().__init__()
        _checked_number(keep, num_layers)
        self.keep = keep
        self.scorers = nn.ModuleList(
            nn.Sequential(nn.Linear(hidden_size, width), nn.Tanh(), nn.Linear(width, 1))
            for _ in range(num_layers)
        )

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        """activations [L, B, H], each layer's mean over the tokens -> keep rates [L], their sum = keep."""
        scores = torch.cat(
            [scorer(states) for scorer, states in zip(self.scorers, activations, strict=True)], -1
        )
        return self.keep * scores.softmax(-1).mean(0)  # [B, L] -> [L]


def data_driven(
    model: PreTrainedModel,
    loss: Callable[[int], torch.Tensor],
    keep: int,
    steps: int = 200,
    learning_rate: float = 1e-2,
    seed: int = 0,
) -> tuple[list[int], torch.Tensor]:
    """Learns each layer's drop rate and keeps the layers with the lowest.

    The paper describes the idea in five sentences and gives no code. What it leaves open is decided so:
    the scores of a step come from a pass with all layers (a layer's own activation cannot be known
    before it runs); a layer is drawn from its rate, and the gradient reaches the rate as if the draw had
    been the rate itself (straight-through); rates above 1 count as 1; the model's own weights are frozen;
    at the end the rates' mean over the steps' second half decides. As in the paper, the kept layers are
    fixed: they do not depend on the input.

    A layer's activation is the mean of its states over all columns of the batch, those of padding included.
    The global generators of random numbers are left as they were.

    Args:
        model: in evaluation mode.
        loss: step -> the loss (a scalar) of `model` on that step's batch.
        keep: how many layers remain.
        steps: how many steps of learning, at least 1.

    Returns:
        The kept depths, and every layer's learned keep rate [L].

    Raises:
        ValueError: the model is in training mode, its layers put out more than their states, `steps` is
            below 1, the loss is not finite, or see `every_other` for `keep`.
    """
    if model.training:
        raise ValueError("data_driven needs the model in evaluation mode: call model.eval() first")
    if not (isinstance(steps, Integral) and steps >= 1):
        raise ValueError(f"steps must be a whole number, at least 1, not {steps!r}")
    check_can_be_skipped(find_layers(model))
    before = {parameter: parameter.requires_grad for parameter in model.parameters()}
    model.requires_grad_(False)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            learned = _learned_rates(model, loss, keep, steps, learning_rate)
    finally:
        for parameter, asked in before.items():
            parameter.requires_grad_(asked)
    return sorted((learned.topk(keep).indices + 1).tolist()), learned


def _learned_rates(
    model: PreTrainedModel,
    loss: Callable[[int], torch.Tensor],
    keep: int,
    steps: int,
    learning_rate: float,
) -> torch.Tensor:
    """Every layer's keep rate [L] after `steps` steps of learning, as the mean over their second half."""
    layers = find_layers(model)
    rates = LayerRates(len(layers), model.config.hidden_size, keep).to(model.device)
    optimizer = torch.optim.AdamW(rates.parameters(), learning_rate)
    history = []
    for step in tqdm(range(steps), desc="learning drop rates", leave=False):
        with _recorded(layers) as activations, torch.no_grad():
            loss(step)
        kept_share = rates(torch.stack(activations).float()).clamp(max=1.0)  # [L]
        if not kept_share.isfinite().all():
            raise ValueError("the loss or its gradient is not finite; in half precision, try model.float()")
        runs = torch.bernoulli(kept_share.detach())
        gates = runs + kept_share - kept_share.detach()  # the draw's value, the rate's gradient
        with _patched(layers, lambda depth, layer, gates=gates: _Gated(layer, gates[depth])):
            loss(step).backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append(kept_share.detach())
    return torch.stack(history[len(history) // 2 :]).mean(0)


# --- the smaller model -----------------------------------------------------------------------------


def prune(model: PreTrainedModel, keep: Sequence[int]) -> PreTrainedModel:
    """A new model of the same class with the layers `keep` (depths) of `model`, and all else it has.

    It is a plain model: `save_pretrained`, `from_pretrained` and a shallower config are all it takes.
    The exits of a FastBERT follow their layers, and the last one that is kept becomes the teacher; those of a
    decoder follow theirs, and the last layer that is kept leads to the final norm. Where the config lists a
    type for each layer (`layer_types`), that list is cut along.

    Raises:
        ValueError: see `checked_keep`; or what a layer does depends on its number, which would change; or no
            config describes the smaller model; or `model` is only a part of one.
    """
    check_is_whole(model)
    keep = checked_keep(keep, len(find_layers(model)))
    if getattr(model.config, "scale_attn_by_inverse_layer_idx", False):
        raise ValueError("a GPT-2 with scale_attn_by_inverse_layer_idx=True cannot be cut")
    lists = [find_layers_name(model)]
    if hasattr(model, "exits"):
        lists.append("exits")

    config = _cut_config(model.config, keep)
    with described_by(config):
        smaller = type(model)(config).to(device=model.device, dtype=model.dtype)
        _check_same_layers(model, smaller, keep)
        weights = model.state_dict()
        for name in lists:
            # Where the last layer has no exit of its own (a decoder's ends in the final norm and the head),
            # the last one that is kept has none, either.
            all_have_one = len(model.get_submodule(name)) == len(find_layers(model))
            weights = _renumbered(weights, f"{name}.", keep if all_have_one else keep[:-1])
        smaller.load_state_dict(weights)
    if model.can_generate():
        smaller.generation_config = copy.deepcopy(model.generation_config)
    return smaller.train(model.training)


def check_is_whole(model: nn.Module) -> None:
    """Refuses a part of a model, of which no config tells how to make another."""
    if not isinstance(model, PreTrainedModel):
        raise ValueError(
            f"a {type(model).__name__} is not a whole model of transformers, so no smaller one can be made "
            "of it; `only_layers` tries a cut of a part"
        )


@contextmanager
def described_by(config: PreTrainedConfig) -> Iterator[None]:
    """Inside, a model is made of `config` and gets weights.

    Raises:
        ValueError: whatever goes wrong with it: then the config says something that the cut made untrue.
    """
    try:
        yield
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"no {type(config).__name__} describes the cut model: {error} (where layers can be skipped, "
            "`only_layers` runs the cut without another model)"
        ) from error


def _cut_config(config: PreTrainedConfig, keep: list[int]) -> PreTrainedConfig:
    """The config of the smaller model.

    Raises:
        ValueError: it would contradict itself: GPT-Neo's lists `attention_types` of its own, for example; or
            it has another list with an entry for each layer, and the layers would get those of others.
    """
    config = copy.deepcopy(config)
    if not hasattr(config, "num_hidden_layers"):
        raise ValueError(f"a {type(config).__name__} does not say how many layers there are")
    total, types = config.num_hidden_layers, getattr(config, "layer_types", None)
    try:
        config.num_hidden_layers = len(keep)
        if types:
            config.layer_types = [types[depth - 1] for depth in keep]
        config.validate()
    except (StrictDataclassError, AttributeError) as error:  # a layer_types that cannot be set, say
        raise ValueError(f"no {type(config).__name__} describes the cut model: {error}") from error
    for name, entries in vars(config).items():
        if "layer" not in name or not isinstance(entries, list | tuple) or len(entries) != total:
            continue
        if name == "layer_types":
            continue
        first, kept = list(entries[: len(keep)]), [entries[depth - 1] for depth in keep]
        if first != kept and list(entries) != list(range(total)):  # such a list names all layers
            raise ValueError(
                f"no {type(config).__name__} describes the cut model: {name} has an entry for each layer, "
                f"and those of the layers {keep} are not the first {len(keep)}"
            )
    return config


def _check_same_layers(model: PreTrainedModel, smaller: PreTrainedModel, keep: list[int]) -> None:
    """Compares the layers that the two configs make, each with the one whose weights it will get.

    Raises:
        ValueError: they are made differently, because their numbers differ.
    """
    with torch.device("meta"):  # a model like `model` as its config makes it, without memory for weights
        whole = find_layers(type(model)(copy.deepcopy(model.config)))
    for number, depth in enumerate(keep):
        part = _different_part(whole[depth - 1], find_layers(smaller)[number], (depth - 1, number))
        if part is not None:
            raise ValueError(
                f"layer {depth} of a {type(model).__name__} would become layer {number + 1}, which is made "
                f"differently ({part}): cut so, it would no longer do the same"
            )


def _different_part(layer: nn.Module, other: nn.Module, numbers: tuple[int, int]) -> str | None:
    """The name of a part or setting in which two fresh layers differ, apart from their own `numbers`."""
    parts, others = dict(layer.named_modules()), dict(other.named_modules())
    for name in parts | others:
        if type(parts.get(name)) is not type(others.get(name)):
            return name
        settings, other_settings = vars(parts[name]), vars(others[name])
        for setting, value in settings.items():
            pair = value, other_settings.get(setting)
            told = isinstance(value, bool) or pair != numbers  # True and False are no numbers of layers
            if _is_setting(value) and value != pair[1] and told:
                return f"{name}.{setting}".removeprefix(".")
    return None


def _is_setting(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_setting, value))
    return isinstance(value, str | int | float | None)


def _renumbered(weights: dict, prefix: str, keep: list[int]) -> dict:
    """The weights without the layers that are cut; those that stay are numbered from 0."""
    new_number = {str(depth - 1): str(number) for number, depth in enumerate(keep)}
    renumbered = {}
    for name, value in weights.items():
        if not name.startswith(prefix):
            renumbered[name] = value
            continue
        number, rest = name.removeprefix(prefix).split(".", 1)
        if number in new_number:
            renumbered[f"{prefix}{new_number[number]}.{rest}"] = value
    return renumbered


@contextmanager
def only_layers(model: nn.Module, keep: Sequence[int]) -> Iterator[nn.Module]:
    """Inside the `with`, the other layers of `model` are skipped: a cut on trial, nothing is copied.

    Raises:
        ValueError: see `checked_keep`; or the layers put out more than their states (where their code does
            not tell, the first pass raises it).
    """
    layers = find_layers(model)
    keep = checked_keep(keep, len(layers))
    check_can_be_skipped(layers)
    with _patched(layers, lambda depth, layer: _Staying(layer) if depth + 1 in keep else _skip):
        yield model


@contextmanager
def _patched(layers: nn.ModuleList, make: Callable[[int, nn.Module], Callable]) -> Iterator[None]:
    """Puts `make(number, layer)` before every layer's forward, and takes it away again."""
    before = [vars(layer).get("forward") for layer in layers]
    for number, layer in enumerate(layers):
        layer.forward = make(number, layer)
    try:
        yield
    finally:
        for layer, forward in zip(layers, before, strict=True):
            in_front = vars(layer).get("forward")
            if isinstance(in_front, LayerGate):  # a LayerDrop was attached in the meantime, and stays
                in_front.before = forward
            else:
                put_back(layer, "forward", forward)


@contextmanager
def _recorded(layers: nn.ModuleList) -> Iterator[list[torch.Tensor]]:
    """The list to which every layer adds what it puts out, as the mean over the tokens [B, H]."""
    activations: list[torch.Tensor] = []
    with _patched(layers, lambda _, layer: _Recording(layer, activations)):
        yield activations


def _skip(hidden_states: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
    return hidden_states


class _Staying:
    """A layer that runs while others are skipped."""

    def __init__(self, layer: nn.Module):
        self.layer, self.before = layer, vars(layer).get("forward")

    def __call__(self, hidden_states: torch.Tensor, *rest: object, **options: object) -> torch.Tensor:
        checked_states(hidden_states, self.layer)
        forward = earlier(self.layer, "forward", self.before)
        return checked_states(forward(hidden_states, *rest, **options), self.layer)


class _Recording(_Staying):
    """A layer that also writes down what it puts out."""

    def __init__(self, layer: nn.Module, notes: list[torch.Tensor]):
        super().__init__(layer)
        self.notes = notes

    def __call__(self, hidden_states: torch.Tensor, *rest: object, **options: object) -> torch.Tensor:
        out = super().__call__(hidden_states, *rest, **options)
        self.notes.append(out.mean(1))
        return out


class _Gated(_Staying):
    """A layer whose change to the states is multiplied by a gate (a scalar: 0 = dropped, 1 = runs)."""

    def __init__(self, layer: nn.Module, gate: torch.Tensor):
        super().__init__(layer)
        self.gate = gate

    def __call__(self, hidden_states: torch.Tensor, *rest: object, **options: object) -> torch.Tensor:
        out = super().__call__(hidden_states, *rest, **options)
        return hidden_states + self.gate * (out - hidden_states)
