"""Time, measured: the contenders alternate in one run, and medians are compared, never seconds alone.

A machine's speed drifts while it works (heat, other programs), so only ratios of alternating
measurements say something.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from datasets import Dataset
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.cost import flops, full_flops
from course_lib.exit_rule import Speed
from course_lib.fastbert import FastBertForSequenceClassification
from course_lib.pool import predict_pooled

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class ExitBench:
    """Adaptive inference against the plain model, at one batch size.

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
    way: str
    full_ms: float
    adaptive_ms: float
    measured_speedup: float
    spread: tuple[float, float]
    flops_speedup: float
    ratio: float
    mean_layer: float


def alternate(contenders: dict[Name, Callable[[], object]], rounds: int = 9) -> dict[Name, np.ndarray]:
    """Runs every contender once to warm up, then in turn, `rounds` times -> seconds [rounds] of each.

    The order is turned round every second time, so that none always follows the same other.
    """
    for run in contenders.values():
        run()
    seconds: dict[Name, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 == 0 else list(contenders)[::-1]
        for name in names:
            start = time.perf_counter()
            contenders[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in seconds.items()}


def bench_exits(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    batch_size: int,
    speed: Speed = 0.5,
    sentences: int = 1024,
    rounds: int = 5,
) -> list[ExitBench]:
    """Times both ways of adaptive inference against the same weights at full depth, without students.

    The first `sentences` texts of `rows` are sorted by length and cut into batches, as a server would do;
    a pool reads them in the same order.
    """
    ids = tokenizer(list(rows["text"][:sentences]), truncation=True)["input_ids"]
    ids.sort(key=len)
    collate = DataCollatorWithPadding(tokenizer)
    batches = [
        collate([{"input_ids": each} for each in ids[start : start + batch_size]])
        for start in range(0, len(ids), batch_size)
    ]
    lengths = np.array([len(each) for each in ids])
    model.eval()

    @torch.no_grad()
    def full():
        return [model(batch["input_ids"], batch["attention_mask"]) for batch in batches]

    def batch():
        return [model.predict(batch["input_ids"], batch["attention_mask"], speed) for batch in batches]

    def pool():
        return predict_pooled(model, ids, batch_size, speed)

    layers = pool().exit_layer.cpu().numpy()
    promised = full_flops(model.config, lengths).sum() / flops(model.config, lengths, layers).sum()
    seconds = alternate({"full": full, "batch": batch, "pool": pool}, rounds)
    benches = []
    for way in ("batch", "pool"):
        speedups = seconds["full"] / seconds[way]
        measured = float(np.median(speedups))
        benches.append(
            ExitBench(
                batch_size=batch_size,
                way=way,
                full_ms=float(np.median(seconds["full"]) / len(ids) * 1000),
                adaptive_ms=float(np.median(seconds[way]) / len(ids) * 1000),
                measured_speedup=measured,
                spread=(float(np.quantile(speedups, 0.25)), float(np.quantile(speedups, 0.75))),
                flops_speedup=float(promised),
                ratio=measured / float(promised),
                mean_layer=float(layers.mean()),
            )
        )
    return benches
