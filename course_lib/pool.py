"""Adaptive inference for many sentences: batches that stay full however early sentences leave.

In `predict` a batch shrinks from exit to exit, and a processor is slower with one sentence than with its
share of a full batch. Here the sentences that stay wait at their depth until there are enough of them
for a full batch. More sentences a second, at the price of a longer wait for the single one.

Shapes: B sentences, T tokens, H hidden size.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch.nn.utils.rnn import pad_sequence

from course_lib.exit_rule import Speed, thresholds, uncertainty
from course_lib.fastbert import ExitOutput, FastBertForSequenceClassification

Sentence = tuple[int, torch.Tensor]  # its number, and its states [T, H]


@torch.no_grad()
def predict_pooled(
    model: FastBertForSequenceClassification,
    sentences: Sequence[Sequence[int]],
    batch_size: int = 32,
    speed: Speed = 0.5,
    measure: str = "entropy",
) -> ExitOutput:
    """The answers of `model.predict`, for any number of sentences, computed `batch_size` at a time.

    Args:
        sentences: token ids, without padding; those of similar length should stand together.
        batch_size: at most so many sentences are computed together.
        speed, measure: as in `predict`.

    Raises:
        ValueError: as `predict`, or no sentences, or batch_size below 1.
    """
    if model.training:
        raise ValueError("predict_pooled needs the model in evaluation mode: call model.eval() first")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    if not sentences:
        raise ValueError("there is no sentence to answer")
    last = model.config.num_hidden_layers
    limits = [*thresholds(speed, last), float("inf")]  # the last exit always answers

    unread = list(enumerate(sentences))[::-1]
    waiting: dict[tuple[int, int], list[Sentence]] = defaultdict(list)  # by layers passed, and size
    left: list[ExitOutput] = []
    order: list[int] = []
    while unread or waiting:
        full = [place for place, pool in waiting.items() if len(pool) >= batch_size]
        if unread and not full:
            depth, read = 0, [unread.pop() for _ in range(min(batch_size, len(unread)))]
            numbers, hidden, mask = _embedded(model, read)
        else:
            place = max(full) if full else min(waiting)  # the deepest full batch, or the shallowest rest
            depth, pool = place[0], waiting.pop(place)
            waiting |= {place: pool[batch_size:]} if pool[batch_size:] else {}
            numbers, hidden, mask = _padded(pool[:batch_size])
        hidden = model.bert.encoder.layer[depth](hidden, model._layer_mask(hidden, mask))  # [B, T, H]
        logits = model.exits[depth](hidden, mask)  # [B, C]
        doubt = uncertainty(logits, measure)  # [B]

        leaves = doubt < limits[depth]
        exit_layer = torch.full_like(leaves, depth + 1, dtype=torch.long)
        left.append(ExitOutput(logits[leaves], exit_layer[leaves], doubt[leaves]))
        lengths = [hidden.shape[1]] * len(numbers) if mask is None else mask.sum(1).tolist()
        for row, (number, leaving) in enumerate(zip(numbers, leaves.tolist(), strict=True)):
            if leaving:
                order.append(number)
            else:
                place = (depth + 1, _size(lengths[row]))
                waiting[place].append((number, hidden[row, : lengths[row]]))

    given = torch.tensor(order, dtype=torch.long).argsort().to(model.device)
    return ExitOutput(
        *(torch.cat(parts)[given] for parts in zip(*(each.to_tuple() for each in left), strict=True))
    )


def _size(length: int) -> int:
    """Sentences of one size may share a batch: the longest has at most a third more tokens."""
    return int(math.log(length, 4 / 3))


def _embedded(model: FastBertForSequenceClassification, entries: list[tuple[int, Sequence[int]]]):
    """Numbers and token ids -> numbers, states [B, T, H], mask [B, T] (None = no padding)."""
    numbers, sentences = zip(*entries, strict=True)
    lengths = [len(each) for each in sentences]
    padded = [[*each, *[0] * (max(lengths) - len(each))] for each in sentences]
    hidden = model.bert.embeddings(torch.tensor(padded, device=model.device))
    return numbers, hidden, _mask(lengths, hidden.device)


def _padded(entries: list[Sentence]):
    """Numbers and states [T, H] -> numbers, states [B, T, H], mask [B, T] (None = no padding)."""
    numbers, states = zip(*entries, strict=True)
    hidden = pad_sequence(states, batch_first=True)
    return numbers, hidden, _mask([len(each) for each in states], hidden.device)


def _mask(lengths: list[int], device: torch.device) -> torch.Tensor | None:
    if min(lengths) == max(lengths):
        return None
    return torch.arange(max(lengths), device=device) < torch.tensor(lengths, device=device)[:, None]
