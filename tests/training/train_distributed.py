"""One of the processes that test_distributed.py starts by torchrun: trains a tiny BERT with LayerDrop.

Writes what it saw, drew and learned to the folder that is its argument.
"""

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny import tiny_model
from torch.nn.utils.rnn import pad_sequence
from transformers import BertForMaskedLM

from course_lib.models.layerdrop import UNITS, LayerDrop
from course_lib.training.loop import LoopSettings, train

TEXTS = 18  # in batches of 4: an odd number of batches for the two processes
SETTINGS = LoopSettings(learning_rate=1e-2, epochs=3, tokens_per_batch=24, warmup=0.0, bf16=False)


def rows() -> list[dict]:
    """Texts of 6 tokens; the first token tells them apart."""
    ids = torch.randint(30, 60, (TEXTS, 6), generator=torch.Generator().manual_seed(0))
    ids[:, 0] = 1 + torch.arange(TEXTS)
    return [{"input_ids": text} for text in ids]


def run(rank: int, unit: str) -> dict[str, torch.Tensor]:
    # The processes begin with different weights and draws; the training must see to it that they agree.
    model = tiny_model(BertForMaskedLM, 4, dropout=0.1, seed=rank).train()
    drop = LayerDrop(0.5, unit, seed=rank).attach(model)
    texts, drawn, weights, epochs = [], [], [], []

    def collate(batch: list[dict]) -> dict:
        ids = torch.stack([text["input_ids"] for text in batch])
        texts.append(ids[:, 0].clone())
        return {"input_ids": ids, "labels": ids}

    def note_weights() -> None:
        weights.append(
            torch.stack([layer.output.dense.weight.detach() for layer in model.bert.encoder.layer])
        )

    def before_step(number: int) -> None:
        drop.seed(number)
        note_weights()

    def after_epoch(epoch: int) -> dict:
        epochs.append(epoch)
        return {}

    model.register_forward_hook(lambda *_: drawn.append(drop.runs.clone()))
    train(model, rows(), collate, SETTINGS, before_step=before_step, after_epoch=after_epoch)
    note_weights()
    return {
        "texts": pad_sequence(texts, batch_first=True),  # [steps, 4], 0 where a batch is shorter
        "drawn": torch.stack(drawn),  # [steps, L] or [steps, L, 2 or heads]
        "layers": torch.stack(weights),  # [steps + 1, L, H, F]
        "epochs": torch.tensor(epochs),
        **{f"model.{name}": value.clone() for name, value in model.state_dict().items()},
    }


if __name__ == "__main__":
    rank = int(os.environ["RANK"])
    for unit in UNITS:
        save_file(run(rank, unit), Path(sys.argv[1]) / f"{unit}-{rank}.safetensors")
