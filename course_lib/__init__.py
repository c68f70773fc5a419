"""What the lessons import. Rooms, and in each one file per idea: see ARCHITECTURE.md.

Names are imported when they are first asked for, so that `course doctor` can still say what is wrong
where PyTorch itself does not start.
"""

import os
from importlib import import_module

# Threads of PyTorch that wait for each other must sleep, not spin: beside another program that uses the
# processor, spinning made a forward pass 10 to 70 times slower. It is read once, when PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOME = {
    "ExitTrace": "measures.trace",
    "FastBertConfig": "models.fastbert",
    "FastBertForSequenceClassification": "models.fastbert",
    "LayerDrop": "models.layerdrop",
    "data_driven": "models.pruning",
    "every_other": "models.pruning",
    "exit_flops": "measures.cost",
    "flops": "measures.cost",
    "from_files": "texts.own_texts",
    "from_hub": "texts.own_texts",
    "full_flops": "measures.cost",
    "layer_flops": "measures.cost",
    "load_fastbert": "models.checkpoints",
    "newspaper": "texts.reviews",
    "only_layers": "models.pruning",
    "paper_flops": "measures.cost",
    "prune": "models.pruning",
    "prune_feed_forward": "models.pruning_width",
    "prune_heads": "models.pruning_width",
    "recommended_rate": "models.pruning",
    "reviews": "texts.reviews",
    "search_on_valid": "models.pruning",
    "self_distillation_loss": "models.fastbert",
    "uncertainty": "models.exit_rule",
}

_MODULES = {"checks": "teaching.checks"}  # whole modules that lessons call by their last name

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"course_lib.{_MODULES[name]}")
    if name in _HOME:
        return getattr(import_module(f"course_lib.{_HOME[name]}"), name)
    raise AttributeError(f"module 'course_lib' has no attribute {name!r}")
