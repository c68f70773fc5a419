"""What an answer costs, in floating-point operations (FLOPs; a multiplication and its addition count 2).

Two countings:
- `flops`: ours, by each sentence's real length: linear layers, both attention products, and every exit
  on the way.
- `paper_flops`: the FastBERT paper's own (Table 1): linear layers only, on padded tokens. It leaves out
  the attention products, which grow with the square of the length.
Both leave out softmax, LayerNorm, GELU and the embeddings' look-up.
"""

import numpy as np
from torch import nn
from transformers import BertConfig


def layer_flops(config: BertConfig, lengths: np.ndarray | int) -> np.ndarray:
    """One encoder layer on sentences of `lengths` [N] tokens -> FLOPs [N]."""
    tokens = np.asarray(lengths, dtype=np.float64)
    hidden, inner = config.hidden_size, config.intermediate_size
    projections = 2 * tokens * 4 * hidden**2  # query, key, value, output
    attention = 2 * 2 * tokens**2 * hidden  # query x key, weights x value
    feed_forward = 2 * tokens * 2 * hidden * inner
    return projections + attention + feed_forward


def exit_flops(config: BertConfig, lengths: np.ndarray | int) -> np.ndarray:
    """One exit on sentences of `lengths` [N] tokens -> FLOPs [N] (only [CLS] asks in its attention)."""
    tokens = np.asarray(lengths, dtype=np.float64)
    width = config.exit_hidden_size
    all_tokens = 2 * tokens * (config.hidden_size * width + 2 * width**2)  # narrow; key and value
    first_token = 2 * (3 * width**2 + width * config.num_labels)  # query, output, dense; classifier
    attention = 2 * 2 * tokens * width
    return all_tokens + first_token + attention


def flops(config: BertConfig, lengths: np.ndarray, exit_layers: np.ndarray | int) -> np.ndarray:
    """Adaptive inference: sentences of `lengths` [N] that left at `exit_layers` [N], 1..L -> FLOPs [N].

    A sentence pays for every layer and for every exit up to its own.

    Raises:
        ValueError: an exit layer outside 1..L.
    """
    exit_layers = np.asarray(exit_layers)
    if exit_layers.size and not (1 <= exit_layers.min() and exit_layers.max() <= config.num_hidden_layers):
        raise ValueError(f"exit layers lie in 1..{config.num_hidden_layers}, not {exit_layers}")
    return exit_layers * (layer_flops(config, lengths) + exit_flops(config, lengths))


def full_flops(config: BertConfig, lengths: np.ndarray) -> np.ndarray:
    """The plain model, all L layers and the last classifier only: the baseline of every speed-up."""
    return config.num_hidden_layers * layer_flops(config, lengths) + exit_flops(config, lengths)


def paper_layer_flops(config: BertConfig, tokens: int = 128) -> int:
    """One encoder layer as Table 1 counts it (self-attention's projections and feed-forward)."""
    return 2 * tokens * (4 * config.hidden_size**2 + 2 * config.hidden_size * config.intermediate_size)


def paper_exit_flops(config: BertConfig, tokens: int = 128) -> int:
    """One classifier as the official code computes it: its last 128 -> 128 on the pooled token only."""
    width = config.exit_hidden_size
    return 2 * tokens * (config.hidden_size * width + 4 * width**2) + 2 * width**2


def paper_flops(config: BertConfig, tokens: int = 128) -> int:
    """BERT with one classifier, as the paper counts it: 21,785,247,744 for BERT-base at 128 tokens."""
    return config.num_hidden_layers * paper_layer_flops(config, tokens) + paper_exit_flops(config, tokens)


def count_parameters(part: nn.Module) -> int:
    """How many weights a layer, an exit or a network has."""
    return sum(weights.numel() for weights in part.parameters())


def plain_parameters(network: nn.Module) -> int:
    """A FastBERT's weights without the students' exits, which a network of fixed depth does not need."""
    return count_parameters(network) - sum(count_parameters(exit) for exit in network.exits[:-1])
