"""Rounding a matrix to whole numbers of steps so that what it answers changes least.

Rounding each weight to the nearest step is right for one weight at a time. The inputs of a layer resemble
each other, so the error of one column can be made good by the columns that follow it (Frantar et al. 2022,
"GPTQ", algorithm 1: the inverse of the inputs' second moments tells by how much).

Shapes: R outputs, I inputs of a linear layer.
"""

import numpy as np
import torch
from torch import nn

DAMPING = 0.01  # of the moments' mean, added to them: what the sample has not seen still counts


def round_to_steps(target: np.ndarray, step: np.ndarray, moments: np.ndarray | None = None) -> np.ndarray:
    """Whole numbers [R, I] so that `step` times them answers as `target` does.

    Args:
        target: [R, I], the weights.
        step: [R], each row's step, above 0.
        moments: [I, I], the sum of x xᵀ over inputs x of the layer; None rounds each weight to the nearest.
    """
    if moments is None:
        return np.rint(target / step[:, None])
    rest = target.astype(np.float64).copy()
    damped = moments + DAMPING * np.diag(moments).mean() * np.eye(len(moments))
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T  # [I, I], of the inverse: upperᵀ upper
    whole = np.empty_like(rest)
    for column in range(rest.shape[1]):
        whole[:, column] = np.rint(rest[:, column] / step)
        error = (rest[:, column] - step * whole[:, column]) / upper[column, column]  # [R]
        rest[:, column + 1 :] -= error[:, None] * upper[column, column + 1 :]
    return whole


@torch.no_grad()
def input_moments(model: nn.Module, batches: list[dict[str, torch.Tensor]]) -> dict[str, np.ndarray]:
    """For each linear layer inside the encoder, by the name of its weight: the sum of x xᵀ over all tokens.

    Args:
        model: a FastBERT in evaluation mode.
        batches: what its `layer_states` takes; without padding, so that every x is a token's.
    """
    moments: dict[str, torch.Tensor] = {}

    def note(name):
        def hook(_, inputs):
            x = inputs[0].flatten(0, -2).double()  # [tokens, I]
            moments[name] = moments.get(name, 0) + x.T @ x

        return hook

    hooks = [
        part.register_forward_pre_hook(note(f"bert.encoder.{name}.weight"))
        for name, part in model.bert.encoder.named_modules()
        if isinstance(part, nn.Linear)
    ]
    try:
        for batch in batches:
            model.layer_states(batch["input_ids"], None, None)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: found.numpy() for name, found in moments.items()}
