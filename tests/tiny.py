"""Tiny random models and texts that tests share: real classes, sizes that cost nothing."""

import torch
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from course_lib.fastbert import FastBertConfig, FastBertForSequenceClassification
from course_lib.tokenizer import train_characters

SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
    "exit_hidden_size": 8,
    "initializer_range": 0.5,  # large, so that exits disagree and leave at different layers
}


def tiny_fastbert(num_hidden_layers=4, num_labels=3, seed=0, **changes) -> FastBertForSequenceClassification:
    """A FastBERT with random weights, in evaluation mode."""
    torch.manual_seed(seed)
    config = FastBertConfig(
        num_hidden_layers=num_hidden_layers, num_labels=num_labels, **{**SIZES, **changes}
    )
    return FastBertForSequenceClassification(config).eval()


def tiny_batch(lengths: list[int], seed=0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random token ids [B, T] and their mask, padded on the right to the longest of `lengths`."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, SIZES["vocab_size"], (len(lengths), max(lengths)), generator=draw)
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    return ids * mask, mask


def tiny_corpus(texts: int = 60) -> DatasetDict:
    """Sentences whose class is told by one character, in three splits."""
    draw = torch.Generator().manual_seed(7)
    signs = "好坏"
    features = Features(text=Value("string"), label=ClassLabel(names=["good", "bad"]))

    def rows(number: int) -> Dataset:
        labels = torch.randint(2, (number,), generator=draw).tolist()
        fillers = [
            "".join(chr(0x4E00 + code) for code in torch.randint(20, (size,), generator=draw).tolist())
            for size in torch.randint(1, 8, (number,), generator=draw).tolist()
        ]
        found = [f"{filler}{signs[label]}" for filler, label in zip(fillers, labels, strict=True)]
        return Dataset.from_dict({"text": found, "label": labels}, features=features)

    return DatasetDict(train=rows(texts), validation=rows(20), test=rows(20))


def tiny_tokenizer(corpus: DatasetDict):
    """A character tokenizer for `corpus`."""
    return train_characters(corpus["train"]["text"], vocab_size=60, max_length=24)
