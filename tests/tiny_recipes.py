"""Recipes of tiny sizes that tests share, as they stand in a TOML file."""

from pathlib import Path

from course_lib.training.recipes import read_recipe

PRETRAIN = """
stage = "pretrain"
seed = 1
[tokenizer]
kind = "characters"
vocab_size = 300
max_length = 24
[model]
hidden_size = 16
num_attention_heads = 2
intermediate_size = 32
[[phases]]
layers = 1
steps = 6
learning_rate = 1e-3
tokens_per_batch = 64
corpora = { reviews = 1 }
[[phases]]
layers = 3
steps = 6
learning_rate = 1e-3
tokens_per_batch = 64
corpora = { reviews = 1, newspaper = 1 }
"""

TOKENIZER = PRETRAIN[PRETRAIN.index("[tokenizer]") : PRETRAIN.index("[model]")]

CONTINUED = """
stage = "pretrain"
start = "START"
seed = 2
layer_drop = { rate = 0.5 }
[[phases]]
layers = 3
steps = 4
learning_rate = 1e-3
tokens_per_batch = 64
corpora = { reviews = 1 }
"""

PRUNING = """
stage = "pruning"
data = "reviews"
backbone = "BACKBONE"
seeds = [1]
cut = [2]
tuned = []
[finetune]
epochs = 1
"""

FASTBERT = """
stage = "fastbert"
data = "reviews"
backbone = "BACKBONE"
seeds = [1, 2]
[model]
exit_hidden_size = 8
[finetune]
epochs = 2
learning_rate = 1e-3
tokens_per_batch = 128
hide_tokens = 0.1
[distil]
epochs = 1
learning_rate = 1e-3
tokens_per_batch = 128
"""

WORLDS = """
stage = "fastbert"
data = "worlds"
seeds = [1]
[model]
num_hidden_layers = 3
hidden_size = 16
num_attention_heads = 2
intermediate_size = 32
exit_hidden_size = 8
[finetune]
step_by_step = true
steps = 2
learning_rate = 1e-3
tokens_per_batch = 124
[distil]
steps = 2
learning_rate = 1e-3
tokens_per_batch = 124
"""

DECODER = """
stage = "decoder"
data = "poems"
seeds = [1]
[tokenizer]
kind = "characters"
vocab_size = 60
max_length = 32
[model]
num_hidden_layers = 3
hidden_size = 16
num_attention_heads = 2
initializer_range = 0.1
resid_pdrop = 0.0
embd_pdrop = 0.0
attn_pdrop = 0.0
[finetune]
steps = 20
learning_rate = 1e-2
tokens_per_batch = 128
layer_drop = { rate = 0.2 }
[distil]
steps = 20
learning_rate = 1e-2
tokens_per_batch = 128
"""


def folders(root: Path) -> dict[str, Path]:
    """Where `run_recipe` leaves what it makes: everything below `root`."""
    return {name: root / name for name in ("checkpoints", "runs", "traces", "answers")}


def read_recipe_of(folder: Path, text: str) -> dict:
    """The recipe that `text` is, once it lies in a file."""
    (folder / "some.toml").write_text(text)
    return read_recipe(folder / "some.toml")
