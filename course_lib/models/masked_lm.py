"""Initial pre-training: a masked language model, grown from shallow to deep.

The objective is BERT's (Devlin et al. 2018, section 3.1) without next-sentence prediction; the growth
is progressive stacking (Gong et al. 2019): a trained network of 3 layers is copied onto itself to make
6, then 12, since shallow networks learn the easy part in a fraction of the time.
"""

import copy

import torch
from torch import nn
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from course_lib.models.backbones import find_model, load_tokenizer, load_weights


class MaskedLanguageModel(nn.Module):
    """Hides a share of the tokens and asks the network for them.

    Args:
        bert: the network, with its masked-language-model head.
        tokenizer: tells the special tokens, which are never hidden.
        mask_rate: share of tokens to be guessed; 80 % of them become [MASK], 10 % a random token and
            10 % stay as they are.

    Raises:
        ValueError: a rate outside (0, 1), or a tokenizer without [MASK].
    """

    def __init__(self, bert: BertForMaskedLM, tokenizer: PreTrainedTokenizerFast, mask_rate: float = 0.3):
        super().__init__()
        if not 0 < mask_rate < 1:
            raise ValueError(f"mask_rate must lie in (0, 1), not {mask_rate}")
        if tokenizer.mask_token_id is None:
            raise ValueError("pre-training puts [MASK] in the place of tokens, but this tokenizer has none")
        self.bert = bert
        self.mask_rate = mask_rate
        self.mask_id = tokenizer.mask_token_id
        special = torch.zeros(len(tokenizer), dtype=torch.bool)
        special[tokenizer.all_special_ids] = True
        self.register_buffer("special", special, persistent=False)  # [V]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """input_ids, attention_mask: [B, T] -> the mean cross-entropy (nats) over the hidden tokens."""
        hidden_tokens, asked = self.hide(input_ids)
        states = self.bert.bert(hidden_tokens, attention_mask).last_hidden_state  # [B, T, H]
        # The head costs as much as several layers, so only the tokens that are asked for enter it.
        scores = self.bert.cls(states[asked])  # [asked tokens, V]
        return nn.functional.cross_entropy(scores, input_ids[asked])

    def hide(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, T] -> the tokens that the network sees [B, T], and which of them it must guess [B, T]."""
        asked = (torch.rand(input_ids.shape, device=input_ids.device) < self.mask_rate) & ~self.special[
            input_ids
        ]
        fate = torch.rand(input_ids.shape, device=input_ids.device)
        seen = input_ids.masked_fill(asked & (fate < 0.8), self.mask_id)
        random_ids = torch.randint_like(input_ids, len(self.special))
        return torch.where(asked & (fate >= 0.9), random_ids, seen), asked


def load_masked_lm(name: str) -> tuple[BertForMaskedLM, PreTrainedTokenizerFast]:
    """A pre-trained masked language model in evaluation mode and float32, with its tokenizer.

    Raises:
        FileNotFoundError, ValueError: as `find_model`, `load_weights` and `load_tokenizer`.
    """
    folder = find_model(name)
    bert = load_weights(BertForMaskedLM, folder).eval()
    return bert, load_tokenizer(folder, bert.config)


def new_masked_lm(tokenizer: PreTrainedTokenizerFast, num_hidden_layers: int, **config) -> BertForMaskedLM:
    """A BERT with random weights for `tokenizer`; `config` goes to `BertConfig`."""
    return BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            max_position_embeddings=tokenizer.model_max_length,
            num_hidden_layers=num_hidden_layers,
            **config,
        )
    )


def stack(bert: BertForMaskedLM, num_hidden_layers: int) -> BertForMaskedLM:
    """A deeper network: the layers of `bert`, repeated from the bottom up.

    Raises:
        ValueError: `num_hidden_layers` is not a multiple of the layers there are.
    """
    layers = bert.config.num_hidden_layers
    if num_hidden_layers % layers:
        raise ValueError(f"{layers} layers can be stacked to a multiple of {layers}, not {num_hidden_layers}")
    config = copy.deepcopy(bert.config)
    config.num_hidden_layers = num_hidden_layers
    deeper = BertForMaskedLM(config)
    weights = bert.state_dict()
    for name in deeper.state_dict():
        if ".layer." in name:
            head, number_and_rest = name.split(".layer.")
            number, rest = number_and_rest.split(".", 1)
            weights[name] = weights[f"{head}.layer.{int(number) % layers}.{rest}"]
    deeper.load_state_dict(weights)
    return deeper
