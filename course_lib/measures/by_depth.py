"""A decoder's exits on given texts: loss, perplexity, agreement with the last layer, by depth; and cuts.

Every token of a text is predicted from the ones before it, as in training; nothing is written. What a depth
is worth when the network writes for itself: see `generation.py`.

Shapes: L layers, N tokens predicted.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from course_lib.models.decoder import NOT_A_TOKEN, ExitDecoderForCausalLM
from course_lib.models.pruning import only_layers
from course_lib.texts.batches import LengthBuckets, NextTokens, to_the_end


@dataclass(frozen=True)
class DepthFigures:
    """What each exit knows of the next token, exit 1 first; the last one is the whole network.

    Fields:
        loss: [L], nats a token; `perplexity` is its exponential.
        agreement: [L], the share of the tokens for which the exit's likeliest one is the last layer's.
        tokens: N.
    """

    loss: list[float]
    agreement: list[float]
    tokens: int

    @property
    def perplexity(self) -> list[float]:
        return [math.exp(loss) for loss in self.loss]


def text_batches(texts: Iterable[str], tokenizer, tokens_per_batch: int = 4096) -> list[dict]:
    """Texts -> padded batches for a decoder, always the same ones; unknown characters are not asked for."""
    rows, collate = to_the_end(texts, tokenizer), NextTokens(tokenizer)
    sampler = LengthBuckets([len(row["input_ids"]) for row in rows], tokens_per_batch, seed=0)
    return [collate([rows[number] for number in batch]) for batch in sampler]


@torch.no_grad()
def figures_by_depth(model: ExitDecoderForCausalLM, batches: Sequence[dict]) -> DepthFigures:
    """Every exit's loss and agreement on `text_batches`; the model is put into evaluation mode."""
    model.eval()
    layers = model.config.num_hidden_layers
    loss, agrees, tokens = torch.zeros(layers), torch.zeros(layers), 0
    for batch in batches:
        states = model.layer_states(batch["input_ids"], batch["attention_mask"])
        asked = batch["labels"][:, 1:] != NOT_A_TOKEN  # [B, T-1]
        wanted = batch["labels"][:, 1:][asked]  # [N]
        last = model.exit_logits(states[-1][:, :-1][asked], layers).argmax(-1)
        for depth, hidden in enumerate(states, 1):
            logits = model.exit_logits(hidden[:, :-1][asked], depth)  # [N, V]
            loss[depth - 1] += cross_entropy(logits, wanted, reduction="sum")
            agrees[depth - 1] += (logits.argmax(-1) == last).sum()
        tokens += len(wanted)
    return DepthFigures((loss / tokens).tolist(), (agrees / tokens).tolist(), tokens)


@torch.no_grad()
def last_loss(model: torch.nn.Module, batches: Sequence[dict]) -> float:
    """The whole network's loss (nats a token) on `text_batches`, of any causal language model."""
    model.eval()
    total = tokens = 0
    for batch in batches:
        logits = model(batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits
        asked = batch["labels"][:, 1:] != NOT_A_TOKEN  # [B, T-1]
        total += float(cross_entropy(logits[:, :-1][asked], batch["labels"][:, 1:][asked], reduction="sum"))
        tokens += int(asked.sum())
    return total / tokens


def cut_losses(
    model: torch.nn.Module, batches: Sequence[dict], cuts: Iterable[Sequence[int]]
) -> dict[tuple[int, ...], float]:
    """The loss (nats a token) when only some layers run, as `prune` would leave them: depths -> loss."""
    found = {}
    for keep in cuts:
        with only_layers(model, keep):
            found[tuple(keep)] = last_loss(model, batches)
    return found
