"""What was written: how far it is what the whole network writes, and how varied it is."""

from collections.abc import Sequence


def agreement(written: Sequence[int], reference: Sequence[int]) -> float:
    """The share of the places at which two new texts (tokens, without the prompt) have the same token.

    A place that only one of them has counts as different. After one other token a text may go its own way
    altogether, so `common_start` says more of long texts.
    """
    longest = max(len(written), len(reference))
    return (
        sum(one == other for one, other in zip(written, reference, strict=False)) / longest
        if longest
        else 1.0
    )


def common_start(written: Sequence[int], reference: Sequence[int]) -> int:
    """How many tokens two new texts have in common before the first that differs."""
    for number, (one, other) in enumerate(zip(written, reference, strict=False)):
        if one != other:
            return number
    return min(len(written), len(reference))


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Different n-grams of characters / all n-grams, over all texts together (Li et al. 2016, "distinct-n").

    Raises:
        ValueError: n below 1, or no text is that long.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    grams = [gram for text in texts for gram in _grams(text, n)]
    if not grams:
        raise ValueError(f"no text has {n} characters")
    return len(set(grams)) / len(grams)


def repetition(text: str, n: int = 2) -> float:
    """The share of a text's n-grams that stood in it before: 0 = nothing twice."""
    grams = _grams(text, n)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def _grams(text: str, n: int) -> list[str]:
    return [text[start : start + n] for start in range(len(text) - n + 1)]
