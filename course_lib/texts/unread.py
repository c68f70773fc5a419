"""What a model does not read of its texts: tokens that it does not know, and the ends of long texts."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from datasets import Dataset
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
    def of(
        cls, texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, pairs: Sequence[str] | None = None
    ) -> "Unread":
        """`pairs` are the second texts where two are read together; then the limit is that of both."""
        second = None if pairs is None else pairs[:]
        ids = tokenizer(texts[:], second, add_special_tokens=False, verbose=False)["input_ids"]
        limit = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=pairs is not None)
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


def unread_of(rows: Dataset, tokenizer: PreTrainedTokenizerFast) -> Unread:
    """The same of rows that hold one text, or two (`text_pair`)."""
    pairs = rows["text_pair"] if "text_pair" in rows.column_names else None
    return Unread.of(rows["text"], tokenizer, pairs)


def warn_of_unread(rows: Dataset, tokenizer: PreTrainedTokenizerFast) -> None:
    """Warns where much of the texts is unknown to the model or cut."""
    for sentence in unread_of(rows, tokenizer).of_many():
        warnings.warn(sentence, stacklevel=3)
