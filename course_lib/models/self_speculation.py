"""Self-speculative decoding: a part of the network drafts tokens, the whole of it checks them in one pass.

Leviathan et al. 2023 and Chen et al. 2023 (with a second network); Zhang et al. 2023, "Draft & Verify" (the
draft is the same network with layers left out) and LayerSkip (Elhoushi et al. 2024; the draft is its first
layers, whose keys and values the check uses again). Checking several tokens takes one pass, and
a pass over six costs hardly more than one over a single token: time is saved where the draft is often right.

What is written does not depend on the draft. Greedily a token stays if the whole network would have taken it,
so the text is the one that the whole network writes (in finite precision: unless it holds two tokens equal to
the last bits). If tokens are drawn, one drafted with probability q stays with probability min(1, p/q), and in
the place of one that does not, another is drawn from max(0, p - q), scaled to 1: together that is exactly p.

Shapes: T tokens in the prompt, N new ones, V in the vocabulary, D tokens drafted in a round, H hidden size.
"""

from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from course_lib.models.decoder_parts import DecoderParts, check_request, open_decoder
from course_lib.models.exit_rule import uncertainty
from course_lib.models.next_token import check_temperature, pick, probabilities


@dataclass
class SpeculationOutput:
    """What was written, and how the draft did.

    Fields:
        sequences: [1, T + N], the prompt and the new tokens.
        from_draft: [N], whether a token was drafted; the others are the whole network's own.
        drafted, accepted: how many tokens were drafted, and how many of them stayed.
        rounds: how often the whole network checked.
    """

    sequences: torch.Tensor
    from_draft: torch.Tensor
    drafted: int
    accepted: int
    rounds: int


@torch.no_grad()
def speculate(
    model: PreTrainedModel,
    input_ids: torch.Tensor,
    max_new_tokens: int,
    draft: int | PreTrainedModel,
    drafted: int = 4,
    threshold: float = 1.0,
    temperature: float = 0.0,
    eos_token_id: int | None = None,
    generator: torch.Generator | None = None,
) -> SpeculationOutput:
    """Writes on from a prompt as the whole network would, token by token, in fewer passes.

    Args:
        model: a GPT-2-like or Llama-like model in evaluation mode.
        input_ids: [1, T].
        draft: a depth in 1..L-1: the first so many layers and their exit draft, and what they computed is
            used again; or another, smaller model with the same tokens, as `prune` makes one.
        drafted: D, at most so many tokens in a round, at least 1.
        threshold: a round's draft ends at the first token whose uncertainty (1 less the largest probability)
            is not below it: it changes how long the writing takes, and not what is written. 1 = always D
            tokens.
        temperature: 0 takes the likeliest token, others draw.
        eos_token_id: the token that ends the text; None = as many tokens as were asked for.

    Raises:
        ValueError: a depth outside 1..L-1, a draft with another vocabulary, `drafted` below 1, a threshold
            outside [0, 1], and as `open_decoder`, `check_request` and `check_temperature`.
    """
    if drafted < 1:
        raise ValueError(f"drafted must be at least 1, not {drafted}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is an uncertainty in [0, 1], not {threshold}")
    check_temperature(temperature)
    parts = open_decoder(model)
    check_request(parts, input_ids, max_new_tokens)
    drafter = _drafter(parts, draft, input_ids, max_new_tokens)

    ids, begin, own = input_ids, input_ids.shape[1], []
    counts = {"drafted": 0, "accepted": 0, "rounds": 0}
    drafter.read(ids[:, :-1])
    ended = False
    while not ended and (missing := begin + max_new_tokens - ids.shape[1]) > 0:
        tokens, guesses = _draft(
            drafter, ids[:, -1:], min(drafted, missing - 1), threshold, temperature, generator
        )
        logits = drafter.check(torch.cat([ids[:, -1:], tokens], 1))  # [1, D + 1, V]
        if temperature == 0:
            kept, following = agreed(tokens[0], logits[0].argmax(-1))
        else:
            kept, following = verified(tokens[0], guesses, probabilities(logits[0], temperature), generator)
        new = torch.cat([tokens[0, :kept], following])  # [kept + 1]
        counts["drafted"] += tokens.shape[1]
        counts["accepted"] += kept
        counts["rounds"] += 1
        own += [True] * kept + [False]
        drafter.forget(tokens.shape[1] - kept)
        ends = (new == eos_token_id).nonzero() if eos_token_id is not None else ()
        if len(ends):
            ended, new = True, new[: int(ends[0]) + 1]
        ids = torch.cat([ids, new[None]], 1)
    return SpeculationOutput(ids, torch.tensor(own[: ids.shape[1] - begin]), **counts)


def agreed(tokens: torch.Tensor, own: torch.Tensor) -> tuple[int, torch.Tensor]:
    """Greedily: drafted tokens [D] stay as long as they are the whole network's `own` [D + 1].

    Returns:
        How many stay (0..D), and the whole network's next token [1].
    """
    kept = int((tokens == own[:-1]).long().cumprod(0).sum())
    return kept, own[kept : kept + 1]


def verified(
    tokens: torch.Tensor, q: torch.Tensor | None, p: torch.Tensor, generator: torch.Generator | None = None
) -> tuple[int, torch.Tensor]:
    """Which drafted tokens stay, and the token after them (Leviathan et al. 2023, algorithm 1).

    Args:
        tokens: [D], drawn from q.
        q: [D, V], the draft's probabilities (None if D = 0); p: [D + 1, V], those of the whole network.

    Returns:
        How many stay (0..D), and the next token [1].
    """
    if not len(tokens):
        return 0, torch.multinomial(p[0], 1, generator=generator)
    places = torch.arange(len(tokens), device=tokens.device)
    chance = p[places, tokens] / q[places, tokens]  # [D]; the draft cannot draw what it gives no chance
    stays = torch.rand(len(tokens), generator=generator, device=tokens.device, dtype=p.dtype) < chance
    kept = int(stays.long().cumprod(0).sum())
    if kept == len(tokens):
        return kept, torch.multinomial(p[kept], 1, generator=generator)
    return kept, torch.multinomial(leftover(p[kept], q[kept]), 1, generator=generator)


def leftover(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """What is drawn from in the place of a refused token: max(0, p - q) [V], scaled to the sum 1."""
    rest = (p - q).clamp(min=0)
    return rest / rest.sum(-1, keepdim=True)


def _draft(drafter, token: torch.Tensor, most: int, threshold: float, temperature: float, generator):
    """Up to `most` tokens after `token` [1, 1] -> tokens [1, D], and what each was drawn from [D, V]; None if
    none was drawn: at temperature 0, or for an empty draft."""
    tokens, guesses = [token[:, :0]], []
    for _ in range(most):
        logits = drafter.next(token)  # [1, 1, V]
        if threshold < 1 and float(uncertainty(logits, "max_probability")) >= threshold:
            break
        token = pick(logits, temperature, generator)
        tokens.append(token)
        if temperature > 0:
            guesses.append(probabilities(logits[0, -1], temperature))
    return torch.cat(tokens, 1), torch.stack(guesses) if guesses else None


def _drafter(parts: DecoderParts, draft: int | PreTrainedModel, ids: torch.Tensor, max_new_tokens: int):
    if isinstance(draft, PreTrainedModel):
        small = open_decoder(draft)
        if draft.config.vocab_size != parts.model.config.vocab_size:
            raise ValueError(
                f"the draft knows {draft.config.vocab_size} tokens and the model "
                f"{parts.model.config.vocab_size}: they must be the same"
            )
        check_request(small, ids, max_new_tokens)
        return _OtherNetwork(parts, small)
    if not 1 <= draft < parts.depth:
        raise ValueError(f"a draft of the first layers needs a depth in 1..{parts.depth - 1}, not {draft!r}")
    return _FirstLayers(parts, draft)


class _FirstLayers:
    """The first k layers and their exit; the check goes on from their states.

    Fields:
        done: how many tokens all layers have in the cache; `ahead`, those that the first layers have besides,
            as their states after layer k, each [1, 1, H].
    """

    def __init__(self, parts: DecoderParts, depth: int):
        self.parts, self.depth, self.cache = parts, depth, parts.new_cache()
        self.done, self.ahead = 0, []

    def read(self, ids: torch.Tensor) -> None:
        """The prompt [1, T], through all layers; it may be empty."""
        if ids.shape[1]:
            self.parts.run(self.parts.embed(ids, 0), 1, self.parts.depth, 0, self.cache)
        self.done = ids.shape[1]

    def next(self, token: torch.Tensor) -> torch.Tensor:
        """A token [1, 1] -> the exit's logits for the one after it [1, 1, V]."""
        self._enter(token)
        return self.parts.logits(self.ahead[-1], self.depth)

    def check(self, tokens: torch.Tensor) -> torch.Tensor:
        """The last token that is certain, and the drafted ones [1, D + 1] -> the whole network's logits."""
        for number in range(len(self.ahead), tokens.shape[1]):
            self._enter(tokens[:, number : number + 1])
        hidden = torch.cat(self.ahead, 1)  # [1, D + 1, H]
        hidden = self.parts.run(hidden, self.depth + 1, self.parts.depth, self.done, self.cache)
        self.done, self.ahead = self.done + tokens.shape[1], []
        return self.parts.logits(hidden, self.parts.depth)

    def forget(self, tokens: int) -> None:
        """The last so many tokens were refused."""
        self.cache.crop(-tokens)
        self.done -= tokens

    def _enter(self, token: torch.Tensor) -> None:
        place = self.done + len(self.ahead)
        self.ahead.append(self.parts.run(self.parts.embed(token, place), 1, self.depth, place, self.cache))


class _OtherNetwork:
    """A smaller network with a cache of its own, which may lag behind: it reads what it has missed."""

    def __init__(self, parts: DecoderParts, small: DecoderParts):
        self.parts, self.cache, self.done = parts, parts.new_cache(), 0
        self.small, self.small_cache, self.small_done = small, small.new_cache(), 0
        self.unread: list[torch.Tensor] = []  # what the small network has still to read, each [1, 1]

    def read(self, ids: torch.Tensor) -> None:
        if ids.shape[1]:
            self.parts.run(self.parts.embed(ids, 0), 1, self.parts.depth, 0, self.cache)
            self.small.run(self.small.embed(ids, 0), 1, self.small.depth, 0, self.small_cache)
        self.done = self.small_done = ids.shape[1]

    def next(self, token: torch.Tensor) -> torch.Tensor:
        tokens = torch.cat([*self.unread, token], 1)
        hidden = self.small.embed(tokens, self.small_done)
        hidden = self.small.run(hidden, 1, self.small.depth, self.small_done, self.small_cache)
        self.small_done, self.unread = self.small_done + tokens.shape[1], []
        return self.small.logits(hidden[:, -1:], self.small.depth)

    def check(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = self.parts.run(
            self.parts.embed(tokens, self.done), 1, self.parts.depth, self.done, self.cache
        )
        read = self.small_done - self.done + len(self.unread)  # of these tokens
        self.unread += [tokens[:, number : number + 1] for number in range(read, tokens.shape[1])]
        self.done += tokens.shape[1]
        return self.parts.logits(hidden, self.parts.depth)

    def forget(self, tokens: int) -> None:
        self.cache.crop(-tokens)
        self.done -= tokens
        unread = min(tokens, len(self.unread))
        self.unread = self.unread[: len(self.unread) - unread]
        self.small_cache.crop(unread - tokens)
        self.small_done -= tokens - unread
