"""Where a network's weights are: in the embeddings, in the layers, or in the heads that answer."""

from torch import nn

from course_lib.measures.cost import count_parameters

PARTS = ("embeddings", "layers", "heads")


def weights_by_part(network: nn.Module) -> dict[str, int]:
    """A BERT, bare or inside another model -> how many weights each of `PARTS` holds.

    What is neither embeddings nor layers counts as heads: exits, a classifier, a pooler.

    Raises:
        ValueError: a model without BERT's embeddings and layers.
    """
    base = getattr(network, "base_model", network)
    if not (hasattr(base, "embeddings") and hasattr(base, "encoder")):
        raise ValueError(f"{type(network).__name__} is no BERT: it needs `embeddings` and an `encoder`")
    embeddings, layers = count_parameters(base.embeddings), count_parameters(base.encoder)
    rest = count_parameters(network) - embeddings - layers
    return dict(zip(PARTS, (embeddings, layers, rest), strict=True))


def megabytes(weights: int, bits: int = 32) -> float:
    """How much room `weights` numbers of `bits` bits take, in megabytes (10^6 bytes)."""
    return weights * bits / 8 / 1e6
