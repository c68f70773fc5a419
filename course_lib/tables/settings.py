"""How the networks of the course were trained: what their run records say."""

import pandas as pd

from course_lib.measures.report import seed_records
from course_lib.words import t

NAMES = ("learning_rate", "schedule", "steps", "epochs", "tokens_per_batch", "lora_rank")


def settings_table(recipe: str) -> pd.DataFrame:
    """One column a stage of a FastBERT recipe, one row a setting."""
    written = seed_records(recipe)[0]["recipe"]
    rows = {
        t(f"settings.{name}"): [
            f"{written[stage][name]}" if name in written[stage] else "–" for stage in ("finetune", "distil")
        ]
        for name in NAMES
        if any(name in written[stage] for stage in ("finetune", "distil"))
    }
    names = [t("stage_losses.finetune"), t("stage_losses.distil")]
    return pd.DataFrame(rows, names).T.rename_axis(t("settings.setting"))
