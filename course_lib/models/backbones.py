"""The BERT under the exits: where it lies, and how long its texts may be."""

from pathlib import Path

from transformers import PreTrainedConfig, PreTrainedTokenizerFast

from course_lib.models.checkpoints import checked
from course_lib.paths import RECIPES


def find_model(name: str) -> str:
    """A folder whose checksums hold, a checkpoint of the course, or else a hub name as it is.

    Raises:
        FileNotFoundError: no such folder, or a checkpoint of the course that has not been trained here.
    """
    try:
        return str(checked(name))
    except FileNotFoundError:
        if (RECIPES / f"{name}.toml").is_file():
            raise FileNotFoundError(
                f"the checkpoint {name!r} is not shipped: `course train {name}` makes it"
            ) from None
        if Path(name).is_absolute() or name.startswith("."):
            raise
        return name


def limit_length(tokenizer: PreTrainedTokenizerFast, config: PreTrainedConfig) -> None:
    """Texts are cut where the model's positions end; many tokenizers on the hub do not know where."""
    tokenizer.model_max_length = min(tokenizer.model_max_length, config.max_position_embeddings)
