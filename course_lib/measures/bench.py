"""Time, measured: the contenders alternate in one run, and medians are compared, never seconds alone.

A machine's speed drifts while it works (heat, other programs), so only ratios of alternating
measurements say something.
"""

import math
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TypeVar

import numpy as np
import torch
from datasets import Dataset
from transformers import BatchEncoding, DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.measures.cost import flops, full_flops
from course_lib.models.exit_rule import Speed
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pool import predict_pooled
from course_lib.texts.batches import encode

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class ExitBench:
    """Adaptive inference against the plain model, at one batch size and speed.

    Fields:
        way: "batch" (`predict`: a batch shrinks as sentences leave) or "pool" (`predict_pooled`: it is
            filled up with others).
        full_ms, adaptive_ms: median milliseconds a sentence.
        measured_speedup: the median over rounds of full time / adaptive time.
        spread: the quartiles (25 %, 75 %) of that ratio over the rounds.
        flops_speedup: what counting promises for the same sentences.
        ratio: measured_speedup / flops_speedup; 1 = the promise kept on the clock.
        mean_layer: layers a sentence, on average.
    """

    batch_size: int
    speed: Speed
    way: str
    full_ms: float
    adaptive_ms: float
    measured_speedup: float
    spread: tuple[float, float]
    flops_speedup: float
    ratio: float
    mean_layer: float


def alternate(
    contenders: dict[Name, Callable[[], object]], rounds: int = 9, at_most: float = math.inf
) -> dict[Name, np.ndarray]:
    """Runs every contender once to warm up, then in turn, `rounds` times -> seconds [rounds] of each.

    The order is turned round every second time, so that none always follows the same other. No round but the
    first begins when `at_most` seconds have passed: a busy machine measures fewer rounds.
    """
    began = time.perf_counter()
    for run in contenders.values():
        run()
    seconds: dict[Name, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        if number and time.perf_counter() - began > at_most:
            break
        names = list(contenders) if number % 2 == 0 else list(contenders)[::-1]
        for name in names:
            start = time.perf_counter()
            contenders[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in seconds.items()}


def answering_speed(
    networks: dict[Name, torch.nn.Module], batch: dict, rounds: int = 9, at_most: float = math.inf
) -> dict[Name, float]:
    """How many times quicker than the first network each answers `batch`; medians over the rounds."""

    @torch.no_grad()
    def answer(network: torch.nn.Module):
        return network(**batch)

    seconds = alternate({name: partial(answer, net) for name, net in networks.items()}, rounds, at_most)
    first = next(iter(seconds.values()))
    return {name: float(np.median(first / each)) for name, each in seconds.items()}


def sorted_by_length(rows: Dataset, tokenizer: PreTrainedTokenizerFast, number: int) -> list[dict]:
    """The first `number` texts or pairs as `encode` gives them, the shortest first, as a server would do."""
    few = rows.select(range(min(number, len(rows))))
    return sorted(encode(few, tokenizer), key=lambda row: len(row["input_ids"]))


def cut_into_batches(
    encoded: list[dict], tokenizer: PreTrainedTokenizerFast, batch_size: int
) -> list[BatchEncoding]:
    """Rows that `encode` gave, in their order -> padded batches: input_ids, attention_mask [B, T], …"""
    collate = DataCollatorWithPadding(tokenizer)
    return [collate(encoded[start : start + batch_size]) for start in range(0, len(encoded), batch_size)]


def bench_exits(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    batch_size: int,
    speeds: Sequence[Speed] = (0.5,),
    ways: Sequence[str] = ("batch", "pool"),
    sentences: int = 1024,
    rounds: int = 5,
) -> list[ExitBench]:
    """Times ways of adaptive inference against the same weights at full depth, without students.

    The first `sentences` texts of `rows` are sorted by length and cut into batches, as a server would do;
    a pool reads them in the same order. All speeds and ways take turns with one and the same plain model.
    """
    encoded = sorted_by_length(rows, tokenizer, sentences)
    batches = cut_into_batches(encoded, tokenizer, batch_size)
    ids = [each["input_ids"] for each in encoded]
    types = [each["token_type_ids"] for each in encoded] if "token_type_ids" in encoded[0] else None
    model.eval()

    @torch.no_grad()
    def full():
        return [model(**batch) for batch in batches]

    def adaptive(way: str, speed: Speed):
        if way == "pool":
            return predict_pooled(model, ids, batch_size, speed, token_types=types)
        return [model.predict(**batch, speed=speed) for batch in batches]

    choices = list(product(range(len(speeds)), ways))
    contenders = {(number, way): partial(adaptive, way, speeds[number]) for number, way in choices}
    seconds = alternate({"full": full, **contenders}, rounds)

    lengths = np.array([len(each) for each in ids])
    full_ms = float(np.median(seconds["full"]) / len(ids) * 1000)
    benches = []
    for number, way in choices:
        layers = (
            predict_pooled(model, ids, batch_size, speeds[number], token_types=types).exit_layer.cpu().numpy()
        )
        promised = float(full_flops(model.config, lengths).sum() / flops(model.config, lengths, layers).sum())
        speedups = seconds["full"] / seconds[number, way]
        measured = float(np.median(speedups))
        benches.append(
            ExitBench(
                batch_size=batch_size,
                speed=speeds[number],
                way=way,
                full_ms=full_ms,
                adaptive_ms=float(np.median(seconds[number, way]) / len(ids) * 1000),
                measured_speedup=measured,
                spread=(float(np.quantile(speedups, 0.25)), float(np.quantile(speedups, 0.75))),
                flops_speedup=promised,
                ratio=measured / promised,
                mean_layer=float(layers.mean()),
            )
        )
    return benches
