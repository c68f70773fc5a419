"""Traces with answers made up from random numbers, for figures, widgets and checks."""

import numpy as np

from course_lib import ExitTrace, FastBertConfig


def made_up_trace(layers=6, sentences=200, classes=2, seed=0) -> ExitTrace:
    """Exits that get better with depth, and sentences that differ in difficulty."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, sentences)
    evidence = random.normal(0.5, 1.0, sentences) + np.cumsum(random.normal(0.4, 0.6, (layers, sentences)), 0)
    logits = random.normal(0, 0.3, (layers, sentences, classes))
    logits[:, np.arange(sentences), labels] += 2 * evidence
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = (exponentials / exponentials.sum(-1, keepdims=True)).astype(np.float32)
    config = FastBertConfig(
        num_hidden_layers=layers,
        num_labels=classes,
        hidden_size=64,
        intermediate_size=128,
        exit_hidden_size=16,
    )
    return ExitTrace(probabilities, labels, random.integers(8, 60, sentences), config)
