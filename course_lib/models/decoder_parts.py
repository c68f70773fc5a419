"""A decoder opened up: embed, run some of the layers, leave at an exit, fill in keys and values.

`generate` of transformers runs all layers for each token. To leave earlier one must get between them. What
that takes of each make stands here, for GPT-2 and for Llama and those built like it; where the model has
translators (see `decoder.py`), its exits use them, and otherwise only the final norm and the head. Whether a
model is really built so is tried on three tokens before anything is trusted.

Everything here is for one text at a time, without padding.
Shapes: T tokens, H hidden size, V tokens in the vocabulary, L layers; P tokens that came before.
"""

from weakref import WeakSet

import torch
from torch import nn
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from course_lib.models.layerdrop import find_layers

_TRIED: WeakSet[nn.Module] = WeakSet()


class DecoderParts:
    """One decoder's parts, the same for every make.

    Fields:
        layers: the L layers.
        depth: L.
    """

    def __init__(self, model: PreTrainedModel):
        self.model, self.base = model, model.base_model
        self.layers = find_layers(model)
        self.depth = len(self.layers)
        self.head = model.get_output_embeddings()
        self.translators = getattr(model, "exits", ())

    def new_cache(self) -> Cache:
        return DynamicCache(config=self.model.config)

    def embed(self, ids: torch.Tensor, past: int) -> torch.Tensor:
        """Tokens [1, T] at the positions past, past + 1, … -> what enters layer 1 [1, T, H]."""
        raise NotImplementedError

    def run(self, hidden: torch.Tensor, first: int, last: int, past: int, cache: Cache) -> torch.Tensor:
        """States [1, T, H] before layer `first` -> those after layer `last` (1-based; both run).

        Args:
            past: P, how many tokens these layers have in the cache already; their keys and values for the T
                tokens are added.
        """
        options = self._options(hidden, past, cache)
        for layer in self.layers[first - 1 : last]:
            hidden = layer(hidden, **options)
        return hidden

    def fill(self, hidden: torch.Tensor, depth: int, past: int, cache: Cache) -> None:
        """Adds keys and values of layer `depth` for states [1, T, H], and computes nothing else of it."""
        raise NotImplementedError

    def logits(self, hidden: torch.Tensor, depth: int) -> torch.Tensor:
        """States [1, T, H] after layer `depth` -> the logits of the exit there [1, T, V]."""
        if depth <= len(self.translators):
            hidden = self.translators[depth - 1](hidden)
        return self.head(self._norm(hidden))

    def _norm(self, hidden: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def _options(self, hidden: torch.Tensor, past: int, cache: Cache) -> dict:
        """What a layer takes besides the states."""
        raise NotImplementedError


class GPT2Parts(DecoderParts):
    """GPT-2's: learned positions; query, key and value in one matrix."""

    def embed(self, ids: torch.Tensor, past: int) -> torch.Tensor:
        positions = torch.arange(past, past + ids.shape[1], device=ids.device)
        return self.base.wte(ids) + self.base.wpe(positions)

    def fill(self, hidden: torch.Tensor, depth: int, past: int, cache: Cache) -> None:
        layer = self.layers[depth - 1]
        attention, size = layer.attn, hidden.shape[-1]
        projection = attention.c_attn  # [H, 3H], its columns: query, key, value
        both = torch.addmm(projection.bias[size:], layer.ln_1(hidden)[0], projection.weight[:, size:])
        heads = both.view(1, -1, 2, attention.num_heads, attention.head_dim)  # [1, T, 2, heads, H/heads]
        key, value = heads.permute(2, 0, 3, 1, 4)  # each [1, heads, T, H/heads]
        cache.update(key, value, attention.layer_idx)

    def _norm(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.base.ln_f(hidden)

    def _options(self, hidden: torch.Tensor, past: int, cache: Cache) -> dict:
        return {"past_key_values": cache, "attention_mask": causal_mask(hidden, past)}


class LlamaParts(DecoderParts):
    """Llama's, and those built like it: rotary positions; query, key and value apart."""

    def embed(self, ids: torch.Tensor, past: int) -> torch.Tensor:
        return self.base.embed_tokens(ids)

    def fill(self, hidden: torch.Tensor, depth: int, past: int, cache: Cache) -> None:
        layer = self.layers[depth - 1]
        attention, states = layer.self_attn, layer.input_layernorm(hidden)
        shape = (1, hidden.shape[1], -1, attention.head_dim)
        key = attention.k_proj(states).view(shape).transpose(1, 2)  # [1, key heads, T, head size]
        value = attention.v_proj(states).view(shape).transpose(1, 2)
        key, _ = apply_rotary_pos_emb(key, key, *self._rotation(hidden, past))
        cache.update(key, value, attention.layer_idx)

    def _norm(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.base.norm(hidden)

    def _options(self, hidden: torch.Tensor, past: int, cache: Cache) -> dict:
        return {
            "past_key_values": cache,
            "attention_mask": causal_mask(hidden, past),
            "position_embeddings": self._rotation(hidden, past),
        }

    def _rotation(self, hidden: torch.Tensor, past: int) -> tuple[torch.Tensor, torch.Tensor]:
        positions = torch.arange(past, past + hidden.shape[1], device=hidden.device)
        return self.base.rotary_emb(hidden, position_ids=positions[None])


def causal_mask(hidden: torch.Tensor, past: int) -> torch.Tensor | None:
    """What attention adds to its scores, for states [1, T, H] after P tokens: [1, 1, T, P + T], 0 or minus
    infinity. None for a single token: it may see all."""
    tokens = hidden.shape[1]
    if tokens == 1:
        return None
    later = torch.full((tokens, past + tokens), float("-inf"), dtype=hidden.dtype, device=hidden.device)
    return later.triu(past + 1)[None, None]


def open_decoder(model: PreTrainedModel) -> DecoderParts:
    """The parts of a causal language model of a known make.

    Raises:
        ValueError: the make is not known, or its parts, put together, do not do what the model does; or the
            model is in training mode.
    """
    if model.training:
        raise ValueError("generation needs the model in evaluation mode: call model.eval() first")
    layers = find_layers(model)
    if isinstance(layers[0], GPT2Block) and hasattr(model, "lm_head"):
        parts = GPT2Parts(model)
    elif hasattr(model.base_model, "rotary_emb") and hasattr(layers[0], "input_layernorm"):
        parts = LlamaParts(model)
    else:
        raise ValueError(
            f"the parts of a {type(model).__name__} are not known; GPT-2's and Llama's (with a head for "
            "language modelling) are"
        )
    if model not in _TRIED:
        _try(parts)
        _TRIED.add(model)
    return parts


@torch.no_grad()
def _try(parts: DecoderParts) -> None:
    """Runs three tokens through the parts and through the model.

    Raises:
        ValueError: the logits, or the keys and values that `fill` makes, are others.
    """
    ids = torch.arange(3, device=parts.model.device)[None] % parts.model.config.vocab_size
    wanted = parts.model(input_ids=ids, use_cache=False).logits
    try:
        cache, filled = parts.new_cache(), parts.new_cache()
        hidden = parts.embed(ids, 0)
        for depth in range(1, parts.depth + 1):
            for past in range(3):  # one token after the other, as they come
                parts.fill(hidden[:, past : past + 1], depth, past, filled)
            hidden = torch.cat(
                [
                    parts.run(hidden[:, :1], depth, depth, 0, cache),
                    parts.run(hidden[:, 1:], depth, depth, 1, cache),
                ],
                1,
            )
        found = parts.logits(hidden, parts.depth)
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"a {type(parts.model).__name__} is built otherwise than its parts: {error}"
        ) from error
    pairs = [(found, wanted)]
    for one, other in zip(filled.layers, cache.layers, strict=True):
        pairs += [(one.keys, other.keys), (one.values, other.values)]
    for one, other in pairs:
        if not torch.allclose(one, other, rtol=1e-2, atol=1e-2 * float(other.abs().max())):
            raise ValueError(
                f"a {type(parts.model).__name__} is built otherwise than its parts; it cannot be opened"
            )


def check_request(parts: DecoderParts, ids: torch.Tensor, max_new_tokens: int) -> None:
    """
    Raises:
        ValueError: `ids` is not one text [1, T] with a token at least; or no token is asked for, or more than
            the model has positions for.
    """
    if ids.dim() != 2 or ids.shape[0] != 1 or ids.shape[1] < 1:
        raise ValueError(f"one text at a time, [1, T] with at least one token, not {list(ids.shape)}")
    room = parts.model.config.max_position_embeddings - ids.shape[1]
    if not 1 <= max_new_tokens <= room:
        raise ValueError(
            f"max_new_tokens must lie in 1..{room} (the model's positions less the text's), not "
            f"{max_new_tokens}"
        )
