"""Early exit and fixed depths on the clock: what each takes, so that they can be compared at equal time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from course_lib.measures.bench import alternate, cut_into_batches, sorted_by_length
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pruning import prune

DEPTHS = (1, 2, 3, 4, 6, 9, 12)  # timed; the depths between them are interpolated


@dataclass(frozen=True)
class RivalTimes:
    """Milliseconds a text, medians over the rounds, all contenders in one alternation.

    Fields:
        batch_size, threads, texts, rounds: how it was measured.
        speeds: the thresholds of early exit; early: its milliseconds at each.
        depths, fixed: of networks that end after so many layers.
        spread: the median quartile distance of a contender's rounds, as a share of its median.
    """

    batch_size: int
    threads: int
    texts: int
    rounds: int
    speeds: list[float]
    early: list[float]
    depths: list[int]
    fixed: list[float]
    spread: float

    def of_depths(self, layers: int) -> np.ndarray:
        """Milliseconds of the depths 1..layers [L], those between measured ones interpolated."""
        return np.interp(np.arange(1, layers + 1), self.depths, self.fixed)


@torch.no_grad()
def bench_rivals(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    speeds: Sequence[float],
    batch_size: int = 32,
    texts: int = 512,
    rounds: int = 7,
) -> RivalTimes:
    """Times early exit at every speed beside networks that end after layer 1, 2, 3, …, in alternation.

    Texts are sorted by length and cut into batches, as a server would do, alike for all.
    """
    total = model.config.num_hidden_layers
    depths = [depth for depth in DEPTHS if depth < total] + [total]
    encoded = sorted_by_length(rows, tokenizer, texts)
    batches = cut_into_batches(encoded, tokenizer, batch_size)
    networks = {depth: prune(model, range(1, depth + 1)).eval() for depth in depths}
    model.eval()

    def fixed(depth: int) -> list:
        return [networks[depth](**batch) for batch in batches]

    def early(speed: float) -> list:
        return [model.predict(**batch, speed=speed) for batch in batches]

    contenders: dict[tuple, Callable] = {("fixed", depth): partial(fixed, depth) for depth in depths}
    contenders |= {("early", speed): partial(early, speed) for speed in speeds}
    seconds = alternate(contenders, rounds)
    medians = {name: float(np.median(each) / len(encoded) * 1000) for name, each in seconds.items()}
    spreads = [np.subtract(*np.quantile(each, [0.75, 0.25])) / np.median(each) for each in seconds.values()]
    return RivalTimes(
        batch_size=batch_size,
        threads=torch.get_num_threads(),
        texts=len(encoded),
        rounds=rounds,
        speeds=list(speeds),
        early=[medians["early", speed] for speed in speeds],
        depths=depths,
        fixed=[medians["fixed", depth] for depth in depths],
        spread=float(np.median(spreads)),
    )
