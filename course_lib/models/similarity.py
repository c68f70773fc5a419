"""Which layers change their input least? The choice by which large language models are pruned.

Block Influence (Men et al., ShortGPT, ACL Findings 2025): one minus the cosine between what enters a layer
and what leaves it, averaged over tokens. Layers of little influence go, with no training at all.

Shapes: L layers, B texts, T tokens, H hidden size.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import torch
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from course_lib.models.layerdrop import checked_states, find_layers

READ = ("input_ids", "attention_mask", "token_type_ids")


@torch.no_grad()
def block_influence(model: PreTrainedModel, batches: Iterable[Mapping[str, torch.Tensor]]) -> list[float]:
    """Each layer's influence on the tokens of `batches` (input_ids, attention_mask and, of
    pairs, token_type_ids, each [B, T]) -> [L], 0 to 2.

    Raises:
        ValueError: no batch, or a model of a make whose layers cannot be skipped.
    """
    layers = find_layers(model)
    sums, tokens = torch.zeros(len(layers), dtype=torch.float64), 0
    seen: dict[int, torch.Tensor] = {}  # what the running batch said, by layer

    def record(number, layer, inputs, output):
        before, after = checked_states(inputs[0], layer), checked_states(output, layer)
        seen[number] = 1 - cosine_similarity(before.float(), after.float(), dim=-1)  # [B, T]

    hooks = [layer.register_forward_hook(partial(record, number)) for number, layer in enumerate(layers)]
    try:
        for batch in batches:
            model(**{name: part for name, part in batch.items() if name in READ})
            real = batch["attention_mask"].bool()
            sums += torch.stack([seen[number][real].double().sum() for number in range(len(layers))]).cpu()
            tokens += int(real.sum())
    finally:
        for hook in hooks:
            hook.remove()
    if tokens == 0:
        raise ValueError("block influence needs at least one batch of texts")
    return (sums / tokens).tolist()


def most_influential(influence: Sequence[float], keep: int) -> list[int]:
    """The depths (1-based, rising) of the `keep` layers of most influence; of equals the lower stays.

    Raises:
        ValueError: `keep` is not within 1..L.
    """
    if not 1 <= keep <= len(influence):
        raise ValueError(
            f"of {len(influence)} layers, between 1 and {len(influence)} can be kept, not {keep}"
        )
    order = sorted(range(len(influence)), key=lambda number: (-influence[number], number))
    return sorted(number + 1 for number in order[:keep])
