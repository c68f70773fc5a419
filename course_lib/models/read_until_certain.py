"""Long documents with two thresholds: stop going deeper when certain, stop reading when certain.

A document is read window by window. Each window goes through FastBERT, and leaves at the first exit whose
uncertainty is below `speed`. What the windows have answered so far is pooled; when the pooled answer's
uncertainty is below `enough`, the rest of the document is not read at all. So an easy document costs a few
layers of one window, and a hard one all layers of all windows.

FastBERT itself reads 128 tokens and knows the first threshold only (paper, section 4.3).

Shapes: D documents, W windows, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from course_lib.models.exit_rule import Speed, uncertainty
from course_lib.models.fastbert import FastBertForSequenceClassification

POOLS = ("mean", "product")


@dataclass(frozen=True)
class ReadingOutput:
    """What `read_until_certain` returns.

    Fields:
        probabilities: [D, C], the pooled answers when reading stopped.
        windows_read, tokens_read: [D].
        exit_layers: for each document, at which layer (1..L) each window that was read left.
    """

    probabilities: torch.Tensor
    windows_read: torch.Tensor
    tokens_read: torch.Tensor
    exit_layers: list[list[int]]


def evidence(probabilities: torch.Tensor, pool: str = "mean") -> torch.Tensor:
    """What is added up over windows: [..., C] -> [..., C], in double precision.

    "mean": the probabilities; the pooled answer is their mean, uncertain where windows disagree. "product":
    their logarithms; the pooled answer is the normalised product, as if windows were independent witnesses,
    which makes it more certain with each window.

    Raises:
        ValueError: an unknown pool.
    """
    if pool not in POOLS:
        raise ValueError(f"pool must be one of {', '.join(POOLS)}, not {pool!r}")
    found = probabilities.double()
    return found if pool == "mean" else found.clamp_min(1e-12).log()  # one window can never forbid a class


def pooled(total: torch.Tensor, pool: str = "mean") -> torch.Tensor:
    """The sum of some windows' evidence [..., C] -> their pooled probabilities [..., C]."""
    return total / total.sum(-1, keepdim=True) if pool == "mean" else total.softmax(-1)


@torch.no_grad()
def read_until_certain(
    model: FastBertForSequenceClassification,
    documents: Sequence[Sequence[Sequence[int]]],
    enough: float = 0.2,
    speed: Speed = 0.5,
    measure: str = "entropy",
    pool: str = "mean",
) -> ReadingOutput:
    """Reads documents window by window, each until it is certain of its class.

    The next windows of all documents that are still being read are computed together.

    Args:
        documents: for each one its windows, as token ids without padding (see `windows`).
        enough: reading stops where the pooled uncertainty is below it. 0 = everything is read.
        speed, measure: as in `predict`.
        pool: see `evidence`.

    Raises:
        ValueError: no document, one without a window, `enough` outside [0, 1] or NaN, or as `predict`.
    """
    check_enough(enough)
    if not documents or not all(documents):
        raise ValueError("there must be at least one document, and each must have at least one window")
    classes, device = model.config.num_labels, model.device
    totals = torch.zeros(len(documents), classes, dtype=torch.float64, device=device)
    answers = torch.zeros_like(totals)
    exit_layers: list[list[int]] = [[] for _ in documents]
    reading = list(range(len(documents)))
    while reading:
        ids, mask = _padded([documents[n][len(exit_layers[n])] for n in reading], device)
        left = model.predict(ids, mask, speed, measure)
        totals[reading] += evidence(left.logits.float().softmax(-1), pool)
        answers[reading] = pooled(totals[reading], pool)
        doubts = uncertainty(answers[reading].log(), measure)
        for number, layer in zip(reading, left.exit_layer.tolist(), strict=True):
            exit_layers[number].append(layer)
        reading = [
            number
            for number, doubt in zip(reading, doubts.tolist(), strict=True)
            if not doubt < enough and len(exit_layers[number]) < len(documents[number])
        ]
    read = [len(layers) for layers in exit_layers]
    tokens = [sum(map(len, each[:count])) for each, count in zip(documents, read, strict=True)]
    return ReadingOutput(answers, torch.tensor(read), torch.tensor(tokens), exit_layers)


def check_enough(enough: float) -> None:
    """Raises ValueError unless it is an uncertainty threshold."""
    if not 0 <= enough <= 1:
        raise ValueError(f"enough is an uncertainty threshold in [0, 1], not {enough}")


def _padded(rows: list[Sequence[int]], device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids of texts -> ids and mask, each [B, T], padded on the right."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    return ids, mask
