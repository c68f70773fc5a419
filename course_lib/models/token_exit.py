"""Early exit per token: each new token leaves the decoder where its exit is certain enough (CALM).

Schuster et al. 2022, "Confident Adaptive Language Modeling". A token that leaves early has no keys and values
in the layers above, and later tokens that go there look for them. Two ways to give them:

- "copy": the layers above project the state with which the token left, each with its own matrices (CALM):
  cheap, and not what the whole network would have computed;
- "later": whoever goes to a layer takes along all tokens that have not been there (as EE-LLM does, Chen et
  al. 2023): exactly what the whole network computes, for what the skipped layers cost, only later and in one
  go.

In both ways a layer gets them when the first token comes there, and not at all if none does.

Shapes: T tokens in the prompt, N new ones, V in the vocabulary, L layers, H hidden size.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from course_lib.models.decoder_parts import DecoderParts, check_request, open_decoder
from course_lib.models.exit_rule import uncertainty
from course_lib.models.next_token import check_temperature, pick

MISSING = ("copy", "later")
TOKEN_MEASURES = ("max_probability", "top_2_gap", "saturation", "entropy")


@dataclass
class TokenExitOutput:
    """What was written, and where each token left.

    Fields:
        sequences: [1, T + N], the prompt and the new tokens.
        exit_layer: [N], the depth (1..L) at which the exit answered.
        uncertainty: [N], with which it did; at layer L as at the others, though nothing depends on it there.
        token_layers: how many times a token ran through a whole layer after the prompt, catching up included:
            N x L without early exits.
        filled: how many times keys and values were filled in from an exit's state ("copy").
    """

    sequences: torch.Tensor
    exit_layer: torch.Tensor
    uncertainty: torch.Tensor
    token_layers: int
    filled: int


@torch.no_grad()
def generate_with_exits(
    model: PreTrainedModel,
    input_ids: torch.Tensor,
    max_new_tokens: int,
    threshold: float = 0.5,
    measure: str = "max_probability",
    missing: str = "copy",
    decay: float | None = None,
    temperature: float = 0.0,
    eos_token_id: int | None = None,
    generator: torch.Generator | None = None,
) -> TokenExitOutput:
    """Writes on from a prompt; every token leaves at the first exit whose uncertainty is below the threshold.

    Args:
        model: a GPT-2-like or Llama-like model in evaluation mode; best one whose exits were trained.
        input_ids: [1, T]. All but its last token go through all layers.
        threshold: in [0, 1]; 0 = all layers for every token, as `generate` does it.
        measure: see `token_uncertainty`.
        missing: "copy" or "later", see above.
        decay: let the threshold rise from token to token, for an early mistake is carried on in all that
            follows: see `decayed`; None = one threshold for all.
        temperature: 0 takes the likeliest token, others draw.
        eos_token_id: the token that ends the text; None = as many tokens as were asked for.

    Raises:
        ValueError: unknown measure or way, a threshold outside [0, 1], a decay below 0, and as
            `open_decoder`, `check_request` and `check_temperature`.
    """
    if missing not in MISSING:
        raise ValueError(f"missing must be one of {', '.join(MISSING)}, not {missing!r}")
    if measure not in TOKEN_MEASURES:
        raise ValueError(f"measure must be one of {', '.join(TOKEN_MEASURES)}, not {measure!r}")
    if not 0 <= threshold <= 1:  # NaN fails this too
        raise ValueError(f"threshold is an uncertainty in [0, 1], not {threshold}")
    if decay is not None and not decay >= 0:
        raise ValueError(f"decay must be at least 0, not {decay}")
    check_temperature(temperature)
    parts = open_decoder(model)
    check_request(parts, input_ids, max_new_tokens)

    pass_ = _Passes(parts, input_ids[:, :-1], input_ids.shape[1] + max_new_tokens, missing)
    tokens = input_ids
    exit_layers, doubts = [], []
    for number in range(max_new_tokens):
        limit = threshold if decay is None else decayed(threshold, number, max_new_tokens, decay)
        logits, depth, doubt = _leave(parts, pass_, tokens[:, -1:], measure, limit)
        next_token = pick(logits, temperature, generator)  # [1, 1]
        tokens = torch.cat([tokens, next_token], 1)
        exit_layers.append(depth)
        doubts.append(doubt)
        if int(next_token) == eos_token_id:
            break
    return TokenExitOutput(
        tokens, torch.tensor(exit_layers), torch.tensor(doubts), pass_.token_layers, pass_.filled
    )


def token_uncertainty(
    measure: str, logits: torch.Tensor | None, hidden: torch.Tensor, before: torch.Tensor
) -> torch.Tensor:
    """How unsure an exit is of the next token, in [0, 1].

    Args:
        measure: "max_probability" and "entropy": see `exit_rule.uncertainty`; "top_2_gap": 1 less the gap
            between the two largest probabilities (CALM's softmax response); "saturation": 1 less the cosine
            of the states before and after the layer (CALM's), for which no head need be computed.
        logits: [..., V]; not needed for "saturation".
        hidden, before: the states after and before the layer [..., H].

    Returns:
        [...].
    """
    if measure == "saturation":
        return (1 - cosine_similarity(hidden, before, dim=-1)).clamp(0, 1)
    if measure == "top_2_gap":
        first, second = logits.softmax(-1).topk(2, dim=-1).values.unbind(-1)
        return 1 - (first - second)
    return uncertainty(logits, measure)


def decayed(threshold: float, number: int, total: int, decay: float) -> float:
    """The threshold for new token `number` of at most `total`, counted from 0 (after CALM).

    CALM's threshold is one of confidence, λ = 1 - threshold, and falls with the tokens: 0.9 λ + 0.1
    exp(-decay number / total). Here that is a threshold of uncertainty that rises. (Even λ = 1 lets tokens
    leave early then, all but the first.)
    """
    confidence = 0.9 * (1 - threshold) + 0.1 * math.exp(-decay * number / total)
    return 1 - min(max(confidence, 0.0), 1.0)


def _leave(parts: DecoderParts, pass_: "_Passes", token: torch.Tensor, measure: str, limit: float):
    """One token [1, 1] up to where it leaves -> logits [1, 1, V], depth and uncertainty there."""
    hidden = pass_.enter(token)
    for depth in range(1, parts.depth + 1):
        before, hidden = hidden, pass_.through(depth)  # each [1, 1, H]
        if limit <= 0 and depth < parts.depth:  # no exit can be that certain: none is asked
            continue
        logits = parts.logits(hidden, depth) if measure != "saturation" or depth == parts.depth else None
        doubt = float(token_uncertainty(measure, logits, hidden, before))
        if doubt < limit or depth == parts.depth:
            break
    return parts.logits(hidden, depth) if logits is None else logits, depth, doubt


class _Passes:
    """Which tokens have been through which layers, the state each has reached, and the cache.

    Fields:
        states: [1, length, H], every token's state after the deepest layer that it has run through. Tokens
            that have not been through a layer are always the last ones, since whoever comes there brings them
            along.
        seen: for each layer, how many tokens it has in the cache.
    """

    def __init__(self, parts: DecoderParts, prompt: torch.Tensor, length: int, missing: str):
        self.parts, self.missing, self.cache = parts, missing, parts.new_cache()
        self.seen = [prompt.shape[1]] * parts.depth
        self.tokens = prompt.shape[1]
        self.token_layers = self.filled = 0
        first = parts.embed(torch.zeros_like(prompt[:, :0]), 0)
        self.states = first.new_zeros(1, length, first.shape[-1])
        if self.tokens:  # nobody will ask for the prompt's states again, only for its keys and values
            parts.run(parts.embed(prompt, 0), 1, parts.depth, 0, self.cache)

    def enter(self, token: torch.Tensor) -> torch.Tensor:
        """The next token [1, 1] -> what enters layer 1 [1, 1, H]."""
        self.states[:, self.tokens : self.tokens + 1] = self.parts.embed(token, self.tokens)
        self.tokens += 1
        return self.states[:, self.tokens - 1 : self.tokens].clone()

    def through(self, depth: int) -> torch.Tensor:
        """The newest token's state after layer `depth` [1, 1, H]."""
        first, end = self.seen[depth - 1], self.tokens
        if self.missing == "copy" and first < end - 1:
            self.parts.fill(self.states[:, first : end - 1], depth, first, self.cache)
            self.filled += end - 1 - first
            first = end - 1
        block = self.parts.run(self.states[:, first:end], depth, depth, first, self.cache)
        self.states[:, first:end] = block
        self.token_layers += end - first
        self.seen[depth - 1] = end
        return block[:, -1:]
