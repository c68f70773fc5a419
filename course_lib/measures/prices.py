"""Three prices of one network, whole, cut and with exits: memory, counted FLOPs, measured milliseconds.

They are three things: exits make a network bigger and its answers cheaper, a cut makes it smaller as well,
and how much of the counted saving is kept on the clock only a measurement tells.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from course_lib.measures.bench import alternate, cut_into_batches, sorted_by_length
from course_lib.measures.cost import count_parameters, flops, full_flops, plain_parameters
from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.pruning import every_other, prune


@dataclass(frozen=True)
class Prices:
    """What one way of answering costs.

    Fields:
        weights: that must lie in memory.
        flops: a sentence, on average.
        milliseconds: a sentence; the median over the rounds.
        layers: a sentence, on average.
        fewer_weights, fewer_flops, quicker: times, against the whole network; below 1 is worse.
        rounds: how many were measured.
    """

    weights: int
    flops: float
    milliseconds: float
    layers: float
    fewer_weights: float
    fewer_flops: float
    quicker: float
    rounds: int


def three_prices(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: Dataset,
    keep: int = 6,
    speed: float = 0.5,
    sentences: int = 64,
    batch_size: int = 16,
    rounds: int = 5,
    at_most: float = math.inf,
) -> dict[str, Prices]:
    """The network "whole" (without students), "cut" to `keep` layers, and with "exits" at `speed`.

    All three answer the same sentences in turn. No new round begins when `at_most` seconds have passed.
    """
    encoded = sorted_by_length(rows, tokenizer, sentences)
    batches = cut_into_batches(encoded, tokenizer, batch_size)
    lengths = np.array([len(row["input_ids"]) for row in encoded])
    total = model.config.num_hidden_layers
    small = prune(model, every_other(total, keep)).eval()
    left = [model.predict(**_inputs(batch), speed=speed).exit_layer for batch in batches]
    exit_layers = torch.cat(left).cpu().numpy()

    @torch.no_grad()
    def run(network) -> list:
        return [network(**_inputs(batch)) for batch in batches]

    seconds = alternate(
        {
            "whole": lambda: run(model),
            "cut": lambda: run(small),
            "exits": lambda: [model.predict(**_inputs(batch), speed=speed) for batch in batches],
        },
        rounds,
        at_most,
    )
    weights = {
        "whole": plain_parameters(model),
        "cut": plain_parameters(small),
        "exits": count_parameters(model),
    }
    counted = {
        "whole": full_flops(model.config, lengths).mean(),
        "cut": full_flops(small.config, lengths).mean(),
        "exits": flops(model.config, lengths, exit_layers).mean(),
    }
    layers = {"whole": total, "cut": keep, "exits": exit_layers.mean()}
    return {
        name: Prices(
            weights=weights[name],
            flops=float(counted[name]),
            milliseconds=float(np.median(seconds[name]) / len(encoded) * 1000),
            layers=float(layers[name]),
            fewer_weights=weights["whole"] / weights[name],
            fewer_flops=float(counted["whole"] / counted[name]),
            quicker=float(np.median(seconds["whole"] / seconds[name])),
            rounds=len(seconds[name]),
        )
        for name in seconds
    }


def _inputs(batch) -> dict:
    return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
