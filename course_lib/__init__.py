"""What the lessons import. One file per idea; each reads top to bottom.

Names are imported when they are first asked for, so that `course doctor` can still say what is wrong
where PyTorch itself does not start.
"""

from importlib import import_module

_HOME = {
    "ExitTrace": "trace",
    "FastBertConfig": "fastbert",
    "FastBertForSequenceClassification": "fastbert",
    "LayerDrop": "layerdrop",
    "data_driven": "pruning",
    "every_other": "pruning",
    "exit_flops": "cost",
    "flops": "cost",
    "from_files": "corpora",
    "from_hub": "corpora",
    "full_flops": "cost",
    "layer_flops": "cost",
    "load_fastbert": "checkpoints",
    "newspaper": "corpora",
    "only_layers": "pruning",
    "paper_flops": "cost",
    "prune": "pruning",
    "prune_feed_forward": "pruning_width",
    "prune_heads": "pruning_width",
    "recommended_rate": "pruning",
    "reviews": "corpora",
    "search_on_valid": "pruning",
    "self_distillation_loss": "fastbert",
    "uncertainty": "exit_rule",
}

__all__ = list(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"course_lib.{_HOME[name]}"), name)
    raise AttributeError(f"module 'course_lib' has no attribute {name!r}")
