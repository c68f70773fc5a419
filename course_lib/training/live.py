"""What lesson 02 trains before one's eyes: the recipes' own stages, for as many steps as fit.

A run of n steps begins anew from the seed, so that `in_time` may try a few first and then run as many as
there is time for.
"""

import torch
from transformers import BertForMaskedLM, DataCollatorWithPadding, PreTrainedTokenizerFast

from course_lib.models.fastbert import FastBertForSequenceClassification
from course_lib.models.masked_lm import MaskedLanguageModel, new_masked_lm
from course_lib.models.new_students import with_new_students
from course_lib.training.loop import LoopSettings, train

TOKENS = 1024  # a batch: half of the recipes', so that a step takes half as long


def pretrain_live(
    recipe: dict, tokenizer: PreTrainedTokenizerFast, rows: list[dict], steps: int, seed: int = 1
) -> tuple[BertForMaskedLM, list[dict]]:
    """The first phase of a pre-training recipe, from random weights -> the network, and its history."""
    phase = recipe["phases"][0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bert = new_masked_lm(tokenizer, phase["layers"], **recipe["model"])
    settings = LoopSettings(phase["learning_rate"], steps=steps, tokens_per_batch=TOKENS, seed=seed)
    collate = DataCollatorWithPadding(tokenizer)
    history = train(MaskedLanguageModel(bert, tokenizer), rows, collate, settings, bar=False)
    return bert.eval(), history


def distil_live(
    model: FastBertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    rows: list[dict],
    steps: int,
    learning_rate: float = 4e-3,
    seed: int = 1,
) -> FastBertForSequenceClassification:
    """Self-distillation of new students on `rows` (their labels, if they have any, are not looked at).

    Returns:
        A copy of `model` with the students so trained; backbone and teacher are those of `model`.
    """
    fresh = with_new_students(model, seed).set_stage("distill").train()
    settings = LoopSettings(learning_rate, steps=steps, tokens_per_batch=TOKENS, seed=seed)
    train(fresh, rows, DataCollatorWithPadding(tokenizer), settings, bar=False)
    return fresh.eval()
