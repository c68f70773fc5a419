"""A probe: how well can a simple classifier read a task's answer off a network's states?

The network itself is not trained. What the probe reads off was there before: it tells what pre-training has
put in, without one label.
"""

import numpy as np
import torch
from datasets import Dataset
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import BertModel, PreTrainedTokenizerFast

from course_lib.measures.bench import cut_into_batches
from course_lib.texts.batches import encode


@torch.no_grad()
def mean_states(bert: BertModel, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> np.ndarray:
    """The last layer's states, averaged over each text's tokens: [N, H]."""
    rows = encode({"text": texts}, tokenizer)
    lengths = [len(row["input_ids"]) for row in rows]
    order = np.argsort(lengths, kind="stable")  # texts of a batch are of one length, nearly
    means = []
    for batch in cut_into_batches([rows[index] for index in order], tokenizer, batch_size=32):
        inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}
        states = bert(**inputs).last_hidden_state  # [B, T, H]
        real = inputs["attention_mask"][..., None]  # [B, T, 1]
        means.append((states * real).sum(1) / real.sum(1))
    found = torch.cat(means).numpy()
    return found[np.argsort(order)]


def probe_accuracy(
    bert: BertModel, tokenizer: PreTrainedTokenizerFast, train: Dataset, test: Dataset
) -> float:
    """The share of `test` that a logistic regression on `mean_states` of `train` gets right."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    classifier.fit(mean_states(bert, tokenizer, train["text"]), train["label"])
    return float(classifier.score(mean_states(bert, tokenizer, test["text"]), test["label"]))
