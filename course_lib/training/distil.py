"""Stage 3, self-distillation: the students alone, on the teacher's answers (FastBERT, section 3.2.3)."""

from pathlib import Path

from transformers import DataCollatorWithPadding

from course_lib.texts.batches import encode
from course_lib.training.loop import LoopSettings, train


def self_distil(
    model, tokenizer, corpus, recipe: dict, seed: int, resume_folder: Path, run: str = ""
) -> list[dict]:
    """The students alone, on the teacher's answers (paper, section 3.2.3); labels are not looked at."""
    model.set_stage("distill").train()
    return train(
        model,
        encode(corpus["train"], tokenizer),
        DataCollatorWithPadding(tokenizer),
        LoopSettings(**recipe["distil"], seed=seed),
        resume_folder=resume_folder,
        identity=run,
        title=f"self-distillation, seed {seed}",
    )
