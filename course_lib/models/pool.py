"""Adaptive inference for many sentences: batches that stay full however early sentences leave.

In `predict` a batch shrinks from exit to exit, and a processor is slower with one sentence than with its
share of a full batch. Here the sentences that stay wait at their depth until there are enough of them
for a full batch. More sentences a second, at the price of a longer wait for the single one.

Shapes: B sentences, T tokens, H hidden size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import pad

from course_lib.models.exit_rule import Speed, thresholds, uncertainty
from course_lib.models.fastbert import ExitOutput, FastBertForSequenceClassification
from course_lib.models.inputs import checked_types


@dataclass
class Waiting:
    """Sentences that have passed the same layers.

    Fields:
        numbers: [B], which sentences they are.
        lengths: [B], in tokens.
        hidden: [B, T, H], their states, padded to the longest.
    """

    numbers: torch.Tensor
    lengths: torch.Tensor
    hidden: torch.Tensor

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice | torch.Tensor) -> "Waiting":
        return Waiting(self.numbers[rows], self.lengths[rows], self.hidden[rows])

    def __add__(self, other: "Waiting") -> "Waiting":
        longest = max(self.hidden.shape[1], other.hidden.shape[1])
        both = [pad(each.hidden, (0, 0, 0, longest - each.hidden.shape[1])) for each in (self, other)]
        return Waiting(
            torch.cat([self.numbers, other.numbers]),
            torch.cat([self.lengths, other.lengths]),
            torch.cat(both),
        )

    def trimmed(self) -> "Waiting":
        """Without the columns that are padding in every sentence."""
        return Waiting(self.numbers, self.lengths, self.hidden[:, : int(self.lengths.max())])

    def size(self) -> int:
        """What may be padded to one length: the longest has at most a third more tokens."""
        return int(math.log(self.hidden.shape[1], 4 / 3))

    def mask(self) -> torch.Tensor | None:
        """[B, T], True = a token; None where nothing is padding."""
        columns = self.hidden.shape[1]
        if int(self.lengths.min()) == columns:
            return None
        return torch.arange(columns, device=self.lengths.device) < self.lengths[:, None]


@torch.no_grad()
def predict_pooled(
    model: FastBertForSequenceClassification,
    sentences: Sequence[Sequence[int]],
    batch_size: int = 32,
    speed: Speed = 0.5,
    measure: str = "entropy",
    token_types: Sequence[Sequence[int]] | None = None,
) -> ExitOutput:
    """The answers of `model.predict`, for any number of sentences, computed `batch_size` at a time.

    Args:
        sentences: token ids, without padding; those of similar length should stand together.
        token_types: of each sentence, as many as it has tokens; of pairs, where the tokenizer gives them.
        batch_size: at most so many sentences are computed together.
        speed, measure: as in `predict`.

    Raises:
        ValueError: as `predict`, or no sentences, an empty one, one with padding, or batch_size below 1.
    """
    if model.training:
        raise ValueError("predict_pooled needs the model in evaluation mode: call model.eval() first")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    if len(sentences) == 0:
        raise ValueError("there is no sentence to answer")
    for number, sentence in enumerate(sentences):
        if len(sentence) == 0:
            raise ValueError(f"sentence {number} has no token; even an empty text has [CLS] and [SEP]")
        if model.config.pad_token_id in (sentence[0], sentence[-1]):
            raise ValueError(f"sentence {number} is padded; give the tokens of each sentence alone")
    if token_types is not None and list(map(len, token_types)) != list(map(len, sentences)):
        raise ValueError("token_types must hold one type for each token of each sentence")
    last = model.config.num_hidden_layers
    limits = thresholds(speed, last)

    read = 0
    pools: dict[tuple[int, int], Waiting] = {}  # by layers passed, and size
    left: list[ExitOutput] = []
    numbers: list[torch.Tensor] = []  # of those that left
    while read < len(sentences) or pools:
        full = [place for place, pool in pools.items() if len(pool) >= batch_size]
        if read < len(sentences) and not full:
            now = slice(read, read + batch_size)
            types = None if token_types is None else token_types[now]
            depth, batch = 0, _embedded(model, sentences[now], types, read)
            read += len(batch)
        else:
            place = max(full) if full else min(pools)  # the deepest full pool, or the shallowest rest
            depth, pool = place[0], pools.pop(place)
            batch = pool[:batch_size].trimmed()
            if len(pool) > batch_size:
                pools[place] = pool[batch_size:]

        mask = batch.mask()
        batch.hidden = model.bert.encoder.layer[depth](batch.hidden, model._layer_mask(batch.hidden, mask))
        logits = model.exits[depth](batch.hidden, mask)  # [B, C]
        doubt = uncertainty(logits, measure)  # [B]

        final = depth + 1 == last  # the last exit always answers
        leaves = torch.ones_like(doubt, dtype=torch.bool) if final else doubt < limits[depth]
        exit_layer = torch.full_like(batch.numbers, depth + 1)
        left.append(ExitOutput(logits[leaves], exit_layer[leaves], doubt[leaves]))
        numbers.append(batch.numbers[leaves])
        if not leaves.all():
            stay = batch[~leaves].trimmed()
            place = depth + 1, stay.size()
            pools[place] = pools[place] + stay if place in pools else stay

    order = torch.cat(numbers).argsort()
    return ExitOutput(
        *(torch.cat(parts)[order] for parts in zip(*(each.to_tuple() for each in left), strict=True))
    )


def _embedded(
    model: FastBertForSequenceClassification,
    sentences: Sequence[Sequence[int]],
    token_types: Sequence[Sequence[int]] | None,
    first: int,
) -> Waiting:
    """Token ids of the sentences number `first`, `first` + 1, ... -> their embeddings."""
    lengths = [len(each) for each in sentences]
    device = model.device

    def padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
        return torch.tensor([[*each, *[0] * (max(lengths) - len(each))] for each in rows], device=device)

    ids, types = padded(sentences), None if token_types is None else padded(token_types)
    return Waiting(
        torch.arange(first, first + len(sentences), device=device),
        torch.tensor(lengths, device=device),
        model.bert.embeddings(ids, token_type_ids=checked_types(model.config, ids, types)),
    )
