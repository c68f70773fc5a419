"""From texts to batches: token ids, batches for a decoder, and batches of texts of similar length.

A row is one text, or a pair of texts (columns `text` and `text_pair`): a question and a passage. A tokenizer
puts a pair into one row of tokens. What tells its halves apart is the tokenizer's own way: separators alone
(XLM-R, e5: `<s> A </s> </s> B </s>`), or token types as well (BERT: `[CLS] A [SEP] B [SEP]`, with 0 on the
first half and 1 on the second).
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.texts.unread import warn_of_unread


def is_pairs(rows: Dataset | Mapping) -> bool:
    """Whether each row holds two texts; rows are a data set, or columns in a dict (a typed sentence)."""
    return "text_pair" in (rows.column_names if isinstance(rows, Dataset) else rows)


def encode(rows: Dataset | Mapping, tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """One dict a row: `input_ids`, and for pairs `token_type_ids` where the tokenizer has them.

    What is longer than the tokenizer's maximal length is cut at its end; of a pair, the longer half is cut
    first, so that a short question stays whole beside a long passage.
    """
    if not is_pairs(rows):
        return [{"input_ids": ids} for ids in tokenizer(list(rows["text"]), truncation=True)["input_ids"]]
    both = tokenizer(list(rows["text"]), list(rows["text_pair"]), truncation="longest_first")
    names = [name for name in ("input_ids", "token_type_ids") if name in both]
    return [
        dict(zip(names, parts, strict=True)) for parts in zip(*(both[name] for name in names), strict=True)
    ]


def tokenise(rows: Dataset, tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """As `encode`, with `labels` if the rows have any.

    Warns where the texts have labels, and the model that is to learn them cannot read much of them.
    """
    encoded = encode(rows, tokenizer)
    if "label" not in rows.column_names:
        return encoded
    warn_of_unread(rows, tokenizer)
    return [{**row, "labels": label} for row, label in zip(encoded, rows["label"], strict=True)]


def to_the_end(texts: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """What a decoder learns from: one dict a text, with `input_ids`: the text and the token that ends it."""
    encoded = tokenizer(list(texts), truncation=True, max_length=tokenizer.model_max_length - 1)["input_ids"]
    return [{"input_ids": [*ids, tokenizer.eos_token_id]} for ids in encoded]


class NextTokens:
    """Rows -> a batch for a decoder: `input_ids`, `attention_mask` and `labels`, each [B, T], padded on the
    right.

    Padding and characters that the tokenizer does not know have the label -100: nobody should learn to write
    them.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast):
        self.pad = DataCollatorWithPadding(tokenizer)
        self.unknown = tokenizer.unk_token_id

    def __call__(self, rows: list[dict]) -> dict[str, torch.Tensor]:
        batch = self.pad(rows)
        ids = batch["input_ids"]
        nothing = (batch["attention_mask"] == 0) | (ids == self.unknown)
        return {**batch, "labels": ids.masked_fill(nothing, -100)}


class LengthBuckets(Sampler[list[int]]):
    """Batches of texts of similar length, at most `tokens_per_batch` padded tokens each.

    Shuffles anew in every epoch (`set_epoch`), from `seed` and the epoch alone.
    """

    def __init__(self, lengths: list[int], tokens_per_batch: int, seed: int, texts_per_pool: int = 2048):
        self.lengths = torch.tensor(lengths)
        self.tokens_per_batch = tokens_per_batch
        self.seed = seed
        self.texts_per_pool = texts_per_pool
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        draw = torch.Generator().manual_seed(self.seed * 10_007 + epoch)
        order = torch.randperm(len(self.lengths), generator=draw)
        batches = []
        for pool in order.split(self.texts_per_pool):
            by_length = pool[self.lengths[pool].argsort(stable=True)].tolist()
            batches += self._cut(by_length)
        shuffled = torch.randperm(len(batches), generator=draw).tolist()
        self.batches = [batches[number] for number in shuffled]

    def _cut(self, by_length: list[int]) -> list[list[int]]:
        batches, batch = [], []
        for index in by_length:
            if batch and (len(batch) + 1) * int(self.lengths[index]) > self.tokens_per_batch:
                batches.append(batch)
                batch = []
            batch.append(index)
        return [*batches, batch]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)
