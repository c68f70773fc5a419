"""Time of a training step with LayerDrop: does it fall as the layers that run?

The layers alone should take 1 - p of their time. A whole step also pays for what LayerDrop does not touch:
the embeddings, the head over the vocabulary, and the optimizer's work on both.
"""

import math
import time
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertForMaskedLM

from course_lib.machine import computes_bf16
from course_lib.measures.bench import alternate
from course_lib.models.layerdrop import LayerDrop, drop_rates


@dataclass(frozen=True)
class LayerDropBench:
    """A drop rate against rate 0, in one run.

    Fields:
        expected: the share of units that run, on average, by the drop rates.
        ran: the share that did run in the steps timed; they are the same in both measurements.
        layer_part: time of the layers' forward and backward pass, as a share of that at rate 0; the
            median over the rounds.
        whole_step: likewise of a whole step of masked-language-model training.
        layer_part_spread, whole_step_spread: the quartiles (25 %, 75 %) over the rounds.
        step_ms: median milliseconds of a whole step.
        rounds: how many were measured.
    """

    rate: float
    expected: float
    ran: float
    layer_part: float
    layer_part_spread: tuple[float, float]
    whole_step: float
    whole_step_spread: tuple[float, float]
    step_ms: float
    rounds: int


def bench_layerdrop(
    rates: list[float],
    unit: str = "layer",
    num_layers: int = 12,
    steps: int = 8,
    rounds: int = 7,
    texts: int = 32,
    tokens: int = 64,
    at_most: float = math.inf,
) -> list[LayerDropBench]:
    """Times a network of the course's size (width 128, 8,000 tokens) at every drop rate, in alternation.

    Args:
        rates: the first one is what the others are compared with.
        steps: training steps a round; each draws anew, so a round of few steps scatters more.
        texts, tokens: of one step.
        at_most: about how many seconds it may take; a busy machine measures fewer rounds, of fewer steps.
    """
    config = BertConfig(
        vocab_size=8000,
        hidden_size=128,
        num_hidden_layers=num_layers,
        num_attention_heads=2,
        intermediate_size=512,
        max_position_embeddings=tokens,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(0)
    ids = torch.randint(8000, (texts, tokens))
    states = torch.randn(texts, tokens, config.hidden_size)
    half = torch.autocast("cpu", torch.bfloat16, enabled=computes_bf16())

    layer_runs, step_runs, ran, networks = {}, {}, {}, {}
    for rate in rates:
        bert = BertForMaskedLM(config).train()
        drop = LayerDrop(rate, unit).attach(bert)
        optimizer = torch.optim.AdamW(bert.parameters())
        ran[rate], seeds = [], (count(), count())  # both measure the same draws

        def layers_alone(bert=bert, drop=drop, seeds=seeds[0]):
            drop.seed(next(seeds))
            for _ in range(steps):
                with half:
                    out = bert.bert.encoder(states).last_hidden_state
                out.float().sum().backward()

        def whole_steps(bert=bert, drop=drop, optimizer=optimizer, ran=ran[rate], seeds=seeds[1]):
            drop.seed(next(seeds))
            for _ in range(steps):
                with half:
                    loss = _masked_loss(bert, ids)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                ran.append(drop.runs.float().mean().item())

        layer_runs[rate], step_runs[rate], networks[rate] = layers_alone, whole_steps, bert

    # Two measurements, each of them at least a round that warms up and one that counts.
    fitting = at_most / (4 * len(rates) * _seconds_of_a_step(networks[rates[0]], ids, half))
    steps = max(1, int(min(steps, fitting)))
    layer_seconds, step_seconds = (alternate(runs, rounds, at_most / 2) for runs in (layer_runs, step_runs))
    results = []
    for rate in rates:
        layer_part = layer_seconds[rate] / layer_seconds[rates[0]]
        whole_step = step_seconds[rate] / step_seconds[rates[0]]
        results.append(
            LayerDropBench(
                rate=rate,
                expected=1 - drop_rates(rate, num_layers).mean().item(),
                ran=float(np.mean(ran[rate][steps:])),  # without the round that warms up
                layer_part=float(np.median(layer_part)),
                layer_part_spread=_quartiles(layer_part),
                whole_step=float(np.median(whole_step)),
                whole_step_spread=_quartiles(whole_step),
                step_ms=float(np.median(step_seconds[rate]) / steps * 1000),
                rounds=min(len(layer_part), len(whole_step)),
            )
        )
    return results


def _seconds_of_a_step(bert: BertForMaskedLM, ids: torch.Tensor, half: torch.autocast) -> float:
    """One step's forward and backward pass, after one that warms up; draws and gradients are as before."""
    before = torch.get_rng_state()
    for _ in range(2):
        start = time.perf_counter()
        with half:
            loss = _masked_loss(bert, ids)
        loss.backward()
        seconds = time.perf_counter() - start
        bert.zero_grad()
    torch.set_rng_state(before)
    return seconds


def _masked_loss(bert: BertForMaskedLM, ids: torch.Tensor) -> torch.Tensor:
    """Ids [B, T] -> the loss on three tokens in ten; only those enter the head, as in pre-training."""
    asked = torch.rand(ids.shape) < 0.3
    hidden = bert.bert(ids).last_hidden_state[asked]
    return nn.functional.cross_entropy(bert.cls(hidden).float(), ids[asked])


def _quartiles(values: np.ndarray) -> tuple[float, float]:
    return float(np.quantile(values, 0.25)), float(np.quantile(values, 0.75))
