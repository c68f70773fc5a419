"""A checkpoint's weights packed small: model.q4.safetensors instead of model.safetensors.

Matrices that came out of 4-bit blocks go back into them without loss (see `blocks.py`); everything else stays
as it is. Whoever loads the folder through `load_weights` gets float32 again and need not know.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from course_lib.models.blocks import BLOCK, BYTES, fold, unfold

PACKED = "model.q4.safetensors"
MARK = ".q4"  # behind the name of a matrix that is kept in blocks


def pack(weights: dict[str, torch.Tensor], path: Path) -> None:
    """Writes the weights of a state dict to `path`."""
    packed = {}
    for name, weight in weights.items():
        weight = weight.detach().float().contiguous()
        blocks = _blocks(weight)
        packed[name if blocks is None else name + MARK] = weight if blocks is None else blocks
    save_file(packed, path, metadata={"format": "pt"})


def unpack(path: Path) -> dict[str, torch.Tensor]:
    """What `pack` wrote -> the state dict, float32."""
    weights = {}
    for name, stored in load_file(path).items():
        if not name.endswith(MARK):
            weights[name] = stored
            continue
        rows = len(stored)
        flat = torch.from_numpy(unfold(stored.reshape(-1, BYTES).numpy()))  # [blocks, 32]
        weights[name.removesuffix(MARK)] = flat.reshape(rows, -1)
    return weights


def _blocks(weight: torch.Tensor) -> torch.Tensor | None:
    """A matrix [R, C] as blocks [R, C / 32 * 18]; None where that is impossible or would lose something."""
    if weight.dim() != 2 or weight.shape[1] % BLOCK:
        return None
    rows = weight.reshape(-1, BLOCK).numpy()
    blocks = fold(rows)
    if not (unfold(blocks) == rows).all():
        return None
    return torch.from_numpy(blocks).reshape(len(weight), -1)
