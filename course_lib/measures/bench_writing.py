"""Ways of writing against each other on the clock: tokens a second, and what became of the text.

Shapes: T tokens in a prompt, N new ones.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from course_lib.measures.bench import alternate
from course_lib.measures.generation import agreement
from course_lib.models.self_speculation import SpeculationOutput
from course_lib.models.token_exit import TokenExitOutput

Name = TypeVar("Name", bound=Hashable)
Written = torch.Tensor | TokenExitOutput | SpeculationOutput  # the tensor [1, T + N] is from `generate`


@dataclass(frozen=True)
class WritingBench:
    """One way of writing, all prompts together.

    Fields:
        tokens_per_second: new tokens, by the median of the rounds.
        speedup: the median over rounds of the first way's seconds a token / this way's; `spread`: its
            quartiles (25 %, 75 %).
        agreement: the mean share of places at which the text is the first way's (see `generation.agreement`);
            same_texts: the share of the prompts whose whole text is.
        layers_per_token: layers a new token, catching up included (early exits only).
        accepted: drafted tokens that stayed / all drafted; checks_per_token: passes of the whole network a
            new token (speculation only).
    """

    tokens_per_second: float
    speedup: float
    spread: tuple[float, float]
    agreement: float
    same_texts: float
    layers_per_token: float | None = None
    accepted: float | None = None
    checks_per_token: float | None = None


def bench_writing(
    ways: dict[Name, Callable[[torch.Tensor], Written]],
    prompts: Sequence[torch.Tensor],
    rounds: int = 5,
    at_most: float = float("inf"),
) -> dict[Name, WritingBench]:
    """Times ways of writing in turns on the same prompts; the first one is what the others are compared with.

    Args:
        ways: name -> what writes on from one prompt [1, T].
        rounds, at_most: see `bench.alternate`.

    Raises:
        ValueError: no prompt, or a way that writes nothing.
    """
    if not prompts:
        raise ValueError("bench_writing needs at least one prompt")
    outputs: dict[Name, list[Written]] = {}

    def write_all(name: Name) -> None:
        outputs[name] = [ways[name](prompt) for prompt in prompts]

    seconds = alternate({name: partial(write_all, name) for name in ways}, rounds, at_most)
    texts = {
        name: [_new(output, prompt) for output, prompt in zip(outputs[name], prompts, strict=True)]
        for name in ways
    }
    tokens = {name: sum(map(len, each)) for name, each in texts.items()}
    if not all(tokens.values()):
        raise ValueError(f"nothing was written by {[name for name, number in tokens.items() if not number]}")

    first = next(iter(ways))
    found = {}
    for name in ways:
        each = seconds[name] / tokens[name]  # seconds a token [rounds]
        speedups = seconds[first] / tokens[first] / each
        pairs = list(zip(texts[name], texts[first], strict=True))
        found[name] = WritingBench(
            tokens_per_second=float(1 / np.median(each)),
            speedup=float(np.median(speedups)),
            spread=(float(np.quantile(speedups, 0.25)), float(np.quantile(speedups, 0.75))),
            agreement=float(np.mean([agreement(*pair) for pair in pairs])),
            same_texts=float(np.mean([one == other for one, other in pairs])),
            **_effort(outputs[name], tokens[name]),
        )
    return found


def _new(output: Written, prompt: torch.Tensor) -> list[int]:
    sequences = output if isinstance(output, torch.Tensor) else output.sequences
    return sequences[0, prompt.shape[1] :].tolist()


def _effort(outputs: list[Written], tokens: int) -> dict[str, float]:
    """What the way of writing says of its own work."""
    if isinstance(outputs[0], TokenExitOutput):
        return {"layers_per_token": sum(output.token_layers for output in outputs) / tokens}
    if isinstance(outputs[0], SpeculationOutput):
        drafted = sum(output.drafted for output in outputs)
        return {
            "accepted": sum(output.accepted for output in outputs) / drafted if drafted else None,
            "checks_per_token": sum(output.rounds for output in outputs) / tokens,
        }
    return {}
