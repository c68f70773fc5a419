"""What the lessons import. One file per idea; each reads top to bottom."""

from course_lib.checkpoints import load_fastbert
from course_lib.corpora import from_files, from_hub, newspaper, reviews
from course_lib.cost import exit_flops, flops, full_flops, layer_flops, paper_flops
from course_lib.fastbert import FastBertConfig, FastBertForSequenceClassification, self_distillation_loss
from course_lib.trace import ExitTrace
from course_lib.uncertainty import uncertainty

__all__ = [
    "ExitTrace",
    "FastBertConfig",
    "FastBertForSequenceClassification",
    "exit_flops",
    "flops",
    "from_files",
    "from_hub",
    "full_flops",
    "layer_flops",
    "load_fastbert",
    "newspaper",
    "paper_flops",
    "reviews",
    "self_distillation_loss",
    "uncertainty",
]
