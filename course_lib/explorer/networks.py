"""Which networks the page holds, how finely they are kept, and what that changes.

Shapes: L layers, N sentences, C classes.
"""

import torch

from course_lib.explorer.pack import Source, pack, packed_fastbert, unpack
from course_lib.explorer.round_well import input_moments
from course_lib.models.checkpoints import load_fastbert
from course_lib.models.exit_rule import uncertainty
from course_lib.paths import CHECKPOINTS
from course_lib.texts.reviews import reviews

PLAIN, LAYERDROP = "reviews-fastbert", "reviews-layerdrop-fastbert"
WORLDS = ("worlds-fastbert", "worlds-layerdrop")  # small: kept as they are
NETWORKS = (PLAIN, LAYERDROP, *WORLDS)
STEPS = 22.0  # as fine as 8 MB allow
SAMPLE = 200  # training sentences by which to round well
SPEED = 0.5


def packed() -> bytes:
    """The block with all networks; those for reviews rounded, the second as a difference from the first."""
    texts = reviews()["train"]["text"][:SAMPLE]
    moments = {}
    for name in (PLAIN, LAYERDROP):
        model, tokenizer = load_fastbert(name)
        moments[name] = input_moments(
            model, [tokenizer(text, truncation=True, return_tensors="pt") for text in texts]
        )
    sources = {
        PLAIN: Source(CHECKPOINTS / PLAIN, STEPS, None, moments[PLAIN]),
        LAYERDROP: Source(CHECKPOINTS / LAYERDROP, STEPS, PLAIN, moments[LAYERDROP]),
    }
    return pack(sources | {name: Source(CHECKPOINTS / name) for name in WORLDS})


def what_packing_changed(block: bytes, sentences: int = 300) -> dict[str, str]:
    """The packed networks for reviews beside their checkpoints, on the first test sentences.

    Returns:
        As the page says it. sentences: how many; mean: by how much a probability differs on average, most: in
        one of a hundred cases by more than that (all exits of both networks); same: the share that leaves at
        the same layer at `SPEED`.
    """
    texts = sorted(reviews()["test"]["text"][:sentences], key=len)
    differences, same = [], []
    for name, weights in unpack(block).items():
        if name in WORLDS:
            continue
        model, tokenizer = load_fastbert(name)
        ours = layer_answers(packed_fastbert(weights, CHECKPOINTS / name), tokenizer, texts)
        theirs = layer_answers(model, tokenizer, texts)
        differences.append((ours - theirs).abs().amax(-1).flatten())
        same.append(exit_places(ours, SPEED) == exit_places(theirs, SPEED))
    difference = torch.cat(differences)
    return {
        "sentences": str(len(texts)),
        "mean": f"{difference.mean():.4f}",
        "most": f"{difference.quantile(0.99):.3f}",
        "same": f"{torch.cat(same).double().mean():.1%}",
    }


@torch.no_grad()
def layer_answers(model, tokenizer, texts: list[str], batch: int = 25) -> torch.Tensor:
    """Every exit's probabilities [L, N, C]; texts of similar length beside each other save time."""
    found = []
    for first in range(0, len(texts), batch):
        inputs = tokenizer(texts[first : first + batch], padding=True, truncation=True, return_tensors="pt")
        found.append(model.layer_logits(inputs["input_ids"], inputs["attention_mask"]).softmax(-1))
    return torch.cat(found, 1)


def exit_places(probabilities: torch.Tensor, speed: float) -> torch.Tensor:
    """[L, N, C] -> [N]: which exit lets a sentence go, from 0; the last one always answers."""
    leaves = uncertainty(probabilities.double().clamp_min(1e-300).log()) < speed  # [L, N]
    leaves[-1] = True
    return leaves.int().argmax(0)
