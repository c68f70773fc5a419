"""The next token: the likeliest one, or one that is drawn.

Shapes: V tokens in the vocabulary.
"""

import torch


def check_temperature(temperature: float) -> None:
    """
    Raises:
        ValueError: it is below 0, infinite or NaN.
    """
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature must be 0 (the likeliest token) or above, not {temperature}")


def probabilities(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Logits [..., V] -> what a token is drawn from at a temperature above 0 [..., V]."""
    return (logits / temperature).softmax(-1)


def pick(logits: torch.Tensor, temperature: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """Logits [..., V] -> tokens [...]."""
    if temperature == 0:
        return logits.argmax(-1)
    drawn = torch.multinomial(probabilities(logits, temperature).flatten(0, -2), 1, generator=generator)
    return drawn.view(logits.shape[:-1])
