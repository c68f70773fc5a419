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
    "class_names": "texts.shape",
    "data_driven": "models.pruning",
    "difference": "measures.comparison",
    "early_exit": "measures.comparison",
    "every_other": "models.pruning",
    "exit_flops": "measures.cost",
    "fixed_depth": "measures.comparison",
    "flops": "measures.cost",
    "from_files": "texts.own_texts",
    "from_hub": "texts.own_texts",
    "full_flops": "measures.cost",
    "laws": "texts.laws",
    "layer_flops": "measures.cost",
    "load_fastbert": "models.checkpoints",
    "load_traces": "measures.trace",
    "news": "texts.news",
    "newspaper": "texts.reviews",
    "only_layers": "models.pruning",
    "paper_flops": "measures.cost",
    "patience": "measures.comparison",
    "prune": "models.pruning",
    "prune_feed_forward": "models.pruning_width",
    "prune_heads": "models.pruning_width",
    "random_exit": "measures.comparison",
    "read_record": "measures.records",
    "recommended_rate": "models.pruning",
    "reviews": "texts.reviews",
    "search_on_valid": "models.pruning",
    "self_distillation_loss": "models.fastbert",
    "static": "measures.comparison",
    "uncertainty": "models.exit_rule",
    "whole_network": "measures.comparison",
}

_MODULES = {"checks": "teaching.checks"}  # whole modules that lessons call by their last name

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"course_lib.{_MODULES[name]}")
    if name in _HOME:
        return getattr(import_module(f"course_lib.{_HOME[name]}"), name)
    raise AttributeError(f"module 'course_lib' has no attribute {name!r}")
