"""Long documents: what is kept of one that does not fit (head, tail, both), or all of it in windows.

Every piece is framed as a text of its own ([CLS] … [SEP]) and has at most `tokens` tokens, frame included.
"Head and tail" is from Sun et al. (2019), "How to fine-tune BERT for text classification?".
"""

from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

PARTS = ("head", "tail", "both")


@dataclass(frozen=True)
class Windows:
    """The windows of some documents, one after the other.

    Fields:
        encoded: W dicts with `input_ids`.
        document: [W], the number of the document that a window is of, rising.
    """

    encoded: list[dict]
    document: np.ndarray

    def of(self, number: int) -> list[list[int]]:
        """The token ids of one document's windows."""
        return [self.encoded[window]["input_ids"] for window in np.flatnonzero(self.document == number)]


def windows(rows: Dataset, tokenizer: PreTrainedTokenizerFast, tokens: int, overlap: int = 0) -> Windows:
    """All of every document, cut into windows of `tokens` tokens.

    Args:
        overlap: so many tokens of a window stand at the beginning of the next one again (the tokenizer's
            `stride`).

    Raises:
        ValueError: as `check_tokens`, or an overlap that leaves a window nothing new.
    """
    room = check_tokens(tokens, tokenizer)
    if not 0 <= overlap < room:
        raise ValueError(f"overlap must lie in 0..{room - 1} for windows of {tokens} tokens, not {overlap}")
    found = tokenizer(
        list(rows["text"]),
        truncation=True,
        max_length=tokens,
        stride=overlap,
        return_overflowing_tokens=True,
    )
    encoded = [{"input_ids": ids} for ids in found["input_ids"]]
    return Windows(encoded, np.array(found["overflow_to_sample_mapping"]))


def shortened(
    rows: Dataset, tokenizer: PreTrainedTokenizerFast, tokens: int, part: str = "head"
) -> list[dict]:
    """One dict a document, with the `input_ids` of its beginning, its end, or half of both.

    Raises:
        ValueError: an unknown part, or as `check_tokens`.
    """
    room = check_tokens(tokens, tokenizer)
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, not {part!r}")
    found = tokenizer(list(rows["text"]), return_special_tokens_mask=True, verbose=False)
    before = {"head": room, "tail": 0, "both": room - room // 2}[part]
    encoded = []
    for ids, special in zip(found["input_ids"], found["special_tokens_mask"], strict=True):
        if 0 not in special:  # an empty document is nothing but its frame
            encoded.append({"input_ids": ids})
            continue
        start, end = special.index(0), len(ids) - special[::-1].index(0)
        body = ids[start:end]
        if len(body) > room:
            body = body[:before] + body[len(body) - (room - before) :]
        encoded.append({"input_ids": [*ids[:start], *body, *ids[end:]]})
    return encoded


def check_tokens(tokens: int, tokenizer: PreTrainedTokenizerFast) -> int:
    """How many tokens of the text itself a piece of `tokens` tokens holds.

    Raises:
        ValueError: no room for the text beside the frame, or more than the model reads.
    """
    frame = tokenizer.num_special_tokens_to_add()
    if not frame < tokens <= tokenizer.model_max_length:
        raise ValueError(
            f"tokens must lie in {frame + 1}..{tokenizer.model_max_length} ({frame} are the frame), not "
            f"{tokens}"
        )
    return tokens - frame
