"""When a sentence leaves: how sure an exit is of its answer (0 certain .. 1 no idea), and the thresholds."""

import math
from collections.abc import Sequence

import numpy as np
import torch

MEASURES = ("entropy", "max_probability", "top_k_entropy")
Speed = float | Sequence[float]  # one threshold for all exits, or one for each student exit


def uncertainty(logits: torch.Tensor, measure: str = "entropy", k: int = 5) -> torch.Tensor:
    """The uncertainty of answers: logits [..., C] -> [...] in [0, 1].

    Args:
        logits: unnormalised scores of C classes.
        measure: "entropy", the paper's: entropy / log C (FastBERT, equation 7);
            "max_probability": 1 - the largest probability, scaled so that the uniform answer gets 1;
            "top_k_entropy": the entropy among the k likeliest classes, for tasks with so many classes
            that the tail keeps plain entropy near 1.
        k: how many classes "top_k_entropy" looks at.

    Raises:
        ValueError: unknown measure, fewer than 2 classes, or k below 2.
    """
    classes = logits.shape[-1]
    if classes < 2:
        raise ValueError(f"uncertainty needs at least 2 classes, not {classes}")
    if measure == "entropy":
        return _normalised_entropy(logits)
    if measure == "max_probability":
        likeliest = logits.softmax(-1).amax(-1)
        return ((1 - likeliest) * classes / (classes - 1)).clamp(0, 1)
    if measure == "top_k_entropy":
        if k < 2:
            raise ValueError(f"k must be at least 2, not {k}")
        return _normalised_entropy(logits.topk(min(k, classes), dim=-1).values)
    raise ValueError(f"measure must be one of {', '.join(MEASURES)}, not {measure!r}")


def _normalised_entropy(logits: torch.Tensor) -> torch.Tensor:
    entropy = torch.special.entr(logits.softmax(-1)).sum(-1)  # entr(p) = -p log p
    return (entropy / math.log(logits.shape[-1])).clamp(0, 1)


def thresholds(speed: Speed, num_layers: int) -> list[float]:
    """One threshold for each of the L - 1 student exits; the last exit needs none: it always answers.

    Args:
        speed: a number in [0, 1] for all student exits, or a sequence of L - 1 such numbers; numbers
            and arrays of NumPy and tensors do as well.

    Raises:
        ValueError: a number outside [0, 1] (or NaN), or a sequence of another length.
    """
    given = [float(speed)] if np.ndim(speed) == 0 else [float(each) for each in speed]
    each = given * (num_layers - 1) if np.ndim(speed) == 0 else given
    if len(each) != num_layers - 1:
        raise ValueError(
            f"{num_layers} layers have {num_layers - 1} student exits: give one speed, or "
            f"{num_layers - 1}, not {len(each)}"
        )
    for value in given:
        if not 0 <= value <= 1:  # NaN fails this too
            raise ValueError(f"speed is an uncertainty threshold in [0, 1], not {value}")
    return each
