"""Networks cut to fewer layers, on the clock: does a quarter of the layers take a quarter of the time?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from course_lib.measures.bench import alternate, cut_into_batches, sorted_by_length
from course_lib.measures.cost import full_flops, plain_parameters
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pruning import every_other, prune


@dataclass(frozen=True)
class DepthBench:
    """A network cut to `keep` layers; students' exits are neither counted nor timed.

    Fields:
        parameters: of the plain network: embeddings, the layers kept, one classifier.
        flops: a sentence, on average.
        milliseconds: a sentence; the median over the rounds.
        speedup: whole time / cut time; the median over the rounds.
        spread: its quartiles (25 %, 75 %).
        promised: the same ratio in counted FLOPs.
        rounds: how many were measured.
    """

    keep: int
    parameters: int
    flops: float
    milliseconds: float
    speedup: float
    spread: tuple[float, float]
    promised: float
    rounds: int


def bench_depth(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    keeps: Sequence[int],
    batch_size: int = 32,
    sentences: int = 128,
    rounds: int = 5,
    at_most: float = math.inf,
) -> list[DepthBench]:
    """Times `model` whole and cut to every number of layers in `keeps`, in alternation.

    Which layers stay makes no difference to the clock; "every other" is taken. No new round begins when
    `at_most` seconds have passed: a busy machine measures fewer.
    """
    total = model.config.num_hidden_layers
    networks = {keep: prune(model, every_other(total, keep)).eval() for keep in {total, *keeps}}
    encoded = sorted_by_length(rows, tokenizer, sentences)
    batches = cut_into_batches(encoded, tokenizer, batch_size)
    lengths = np.array([len(each["input_ids"]) for each in encoded])
    flops = {keep: float(full_flops(net.config, lengths).mean()) for keep, net in networks.items()}

    def answering(network: FastBertForSequenceClassification):
        @torch.no_grad()
        def run():
            return [network(**batch) for batch in batches]

        return run

    seconds = alternate({keep: answering(network) for keep, network in networks.items()}, rounds, at_most)
    benches = []
    for keep in sorted(networks, reverse=True):
        speedups = seconds[total] / seconds[keep]
        benches.append(
            DepthBench(
                keep=keep,
                parameters=plain_parameters(networks[keep]),
                flops=flops[keep],
                milliseconds=float(np.median(seconds[keep]) / len(encoded) * 1000),
                speedup=float(np.median(speedups)),
                spread=(float(np.quantile(speedups, 0.25)), float(np.quantile(speedups, 0.75))),
                promised=flops[total] / flops[keep],
                rounds=len(speedups),
            )
        )
    return benches
