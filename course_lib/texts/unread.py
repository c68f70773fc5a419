"""What a model does not read of its texts: tokens that it does not know, and the ends of long texts."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from course_lib.words import t

MUCH = 0.1  # from this share on, of the tokens or of the texts, it is worth a warning


@dataclass(frozen=True)
class Unread:
    """Of some texts: their tokens, how many of these are unknown, and how many of the texts are cut.

    `limit` is the number of tokens that are read of a text, [CLS] and [SEP] not counted.
    """

    texts: int
    tokens: int
    unknown: int
    cut: int
    limit: int

    @classmethod
    def of(cls, texts: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> "Unread":
        ids = tokenizer(texts[:], add_special_tokens=False, verbose=False)["input_ids"]
        limit = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add()
        return cls(
            texts=len(ids),
            tokens=sum(map(len, ids)),
            unknown=sum(each.count(tokenizer.unk_token_id) for each in ids),
            cut=sum(1 for each in ids if len(each) > limit),
            limit=limit,
        )

    def of_one(self) -> list[str]:
        """What the reader of an answer to one text should know, in the language in use."""
        sentences = []
        if self.unknown:
            sentences.append(t("slider.unknown", unknown=self.unknown, tokens=self.tokens))
        if self.cut:
            sentences.append(t("slider.cut", tokens=self.limit))
        return sentences

    def of_many(self) -> list[str]:
        """What one should know of a whole split; empty where it is little."""
        sentences = []
        if self.unknown > MUCH * self.tokens:
            sentences.append(
                f"{self.unknown / self.tokens:.0%} of the tokens are unknown to this model: it cannot read "
                "these texts; take a backbone of their language"
            )
        if self.cut > MUCH * self.texts:
            sentences.append(
                f"{self.cut} of {self.texts} texts are longer than the {self.limit} tokens that are read"
            )
        return sentences


def warn_of_unread(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast) -> None:
    """Warns where much of the texts is unknown to the model or cut."""
    for sentence in Unread.of(texts, tokenizer).of_many():
        warnings.warn(sentence, stacklevel=3)
