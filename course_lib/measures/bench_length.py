"""One layer on the clock, against the length of the text, beside both countings of `cost.py`.

Linear layers cost as many FLOPs for each token, however long the text; the attention products grow with the
square of the length. The paper's counting leaves them out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from course_lib.measures.bench import alternate
from course_lib.measures.cost import layer_flops, paper_layer_flops
from course_lib.models.fastbert import FastBertForSequenceClassification

LENGTHS = (64, 128, 256, 512, 1024, 2048)


@dataclass(frozen=True)
class LengthBench:
    """One encoder layer on one text of `tokens` tokens.

    Fields:
        milliseconds: the median over the rounds.        spread: its quartiles (25 %, 75 %).
        flops: with the attention products.        paper_flops: without them, as the paper counts.
        attention_share: the attention products' share of `flops`.
        rounds: how many were measured.
    """

    tokens: int
    milliseconds: float
    spread: tuple[float, float]
    flops: float
    paper_flops: float
    attention_share: float
    rounds: int


@torch.no_grad()
def bench_length(
    model: FastBertForSequenceClassification,
    lengths: Sequence[int] = LENGTHS,
    rounds: int = 7,
    at_most: float = math.inf,
    seed: int = 0,
) -> list[LengthBench]:
    """Times the first layer of `model` on random states of each length, in alternation.

    A layer knows nothing of positions, so lengths may go beyond what the model's embeddings reach. No round
    but the first begins when `at_most` seconds have passed.

    Raises:
        ValueError: a length below 1, or no length.
    """
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths are numbers of tokens, at least 1, not {list(lengths)}")
    config, layer = model.config, model.eval().bert.encoder.layer[0]
    draw = torch.Generator().manual_seed(seed)
    states = {
        tokens: torch.randn(1, tokens, config.hidden_size, generator=draw).to(model.device, model.dtype)
        for tokens in lengths
    }  # each [1, T, H]
    seconds = alternate({tokens: partial(layer, states[tokens], None) for tokens in states}, rounds, at_most)
    benches = []
    for tokens, each in seconds.items():
        counted, paper = float(layer_flops(config, tokens)), float(paper_layer_flops(config, tokens))
        low, middle, high = 1000 * np.quantile(each, [0.25, 0.5, 0.75])
        benches.append(
            LengthBench(
                tokens=tokens,
                milliseconds=float(middle),
                spread=(float(low), float(high)),
                flops=counted,
                paper_flops=paper,
                attention_share=1 - paper / counted,
                rounds=len(each),
            )
        )
    return benches
