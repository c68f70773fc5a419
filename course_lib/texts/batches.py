"""From texts to batches: token ids, batches for a decoder, and batches of texts of similar length."""

from collections.abc import Iterable, Iterator

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.texts.unread import warn_of_unread


def tokenise(rows: Dataset, tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    """One dict a text, with `input_ids`, cut at the tokenizer's maximal length, and `labels` if any.

    Warns where the texts have labels, and the model that is to learn them cannot read much of them.
    """
    encoded = tokenizer(list(rows["text"]), truncation=True)["input_ids"]
    if "label" not in rows.column_names:
        return [{"input_ids": ids} for ids in encoded]
    warn_of_unread(rows["text"], tokenizer)
    return [{"input_ids": ids, "labels": label} for ids, label in zip(encoded, rows["label"], strict=True)]


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
