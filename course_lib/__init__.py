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
    "DepthSlider": "widgets",
    "DropRateSlider": "widgets",
    "ExitDecoderConfig": "models.decoder",
    "ExitDecoderForCausalLM": "models.decoder",
    "ExitTrace": "measures.trace",
    "FastBertConfig": "models.fastbert",
    "FastBertForSequenceClassification": "models.fastbert",
    "LayerDrop": "models.layerdrop",
    "PromiseSlider": "widgets",
    "SpeedSlider": "widgets",
    "accuracy_by_exit_table": "tables.by_exit",
    "accuracy_by_seed": "measures.report",
    "agreement": "measures.generation",
    "answering_speed": "measures.bench",
    "bench_depth": "measures.bench_depth",
    "bench_exits": "measures.bench",
    "bench_layerdrop": "measures.bench_layerdrop",
    "bench_writing": "measures.bench_writing",
    "by_uncertainty": "measures.certainty",
    "class_names": "texts.shape",
    "class_word": "words",
    "clock_in_words": "tables.clock",
    "clock_table": "tables.clock",
    "common_start": "measures.generation",
    "compare_by_steps": "measures.cuts",
    "compare_cuts": "measures.cuts",
    "count_parameters": "measures.cost",
    "coverage": "measures.guarantee",
    "cut_losses": "measures.by_depth",
    "cut_table": "measures.cuts",
    "cuts_of_fastbert": "measures.cuts",
    "data_driven": "models.pruning",
    "difference": "measures.comparison",
    "difference_of_seeds": "measures.comparison",
    "distinct_n": "measures.generation",
    "early_exit": "measures.comparison",
    "enough_exits": "measures.outcomes",
    "equal_cost": "tables.equal_cost",
    "equal_cost_in_words": "tables.equal_cost",
    "equal_cost_table": "tables.equal_cost",
    "every_other": "models.pruning",
    "exit_flops": "measures.cost",
    "exit_gain": "tables.equal_cost",
    "fastbert_savings": "measures.published",
    "figures_by_depth": "measures.by_depth",
    "first_exit": "measures.comparison",
    "fixed_depth": "measures.comparison",
    "flops": "measures.cost",
    "form_figures": "measures.poem_form",
    "from_files": "texts.own_texts",
    "from_hub": "texts.own_texts",
    "full_flops": "measures.cost",
    "guaranteed_speed": "measures.guarantee",
    "generate_with_exits": "models.token_exit",
    "held_out_loss": "measures.report",
    "held_out_poems": "texts.poems",
    "in_time": "measures.time_box",
    "kl_table": "tables.by_exit",
    "language": "words",
    "laws": "texts.laws",
    "layer_flops": "measures.cost",
    "lines_of": "texts.poems",
    "load_decoder": "models.checkpoints",
    "load_fastbert": "models.checkpoints",
    "load_traces": "measures.trace",
    "loss_by_step": "measures.cuts",
    "masked_losses": "measures.cuts",
    "named_after_passes": "measures.cuts",
    "news": "texts.news",
    "newspaper": "texts.reviews",
    "one_speed": "measures.comparison",
    "only_layers": "models.pruning",
    "outcome_table": "tables.by_exit",
    "outcomes": "measures.outcomes",
    "paper_exit_flops": "measures.cost",
    "paper_flops": "measures.cost",
    "paper_layer_flops": "measures.cost",
    "patience": "measures.comparison",
    "poems": "texts.poems",
    "points": "tables.equal_cost",
    "price_of_exit": "tables.equal_cost",
    "prune": "models.pruning",
    "prune_feed_forward": "models.pruning_width",
    "prune_heads": "models.pruning_width",
    "published": "measures.published",
    "random_exit": "measures.comparison",
    "read_record": "measures.records",
    "recommended_rate": "models.pruning",
    "recorded_ratios": "tables.clock",
    "repetition": "measures.generation",
    "reviews": "texts.reviews",
    "rhyming_share": "measures.poem_form",
    "say": "words",
    "search_on_valid": "models.pruning",
    "self_distillation_loss": "models.fastbert",
    "share_right": "measures.cuts",
    "shares_without": "measures.cuts",
    "shortest": "measures.outcomes",
    "show": "style",
    "slowest_of_batches": "measures.outcomes",
    "speculate": "models.self_speculation",
    "static": "measures.comparison",
    "t": "words",
    "teacher_by_steps_table": "tables.by_exit",
    "text_batches": "measures.by_depth",
    "uncertainty": "models.exit_rule",
    "whole_network": "measures.comparison",
    "with_gloss": "words.glosses",
    "worlds": "texts.worlds",
}

_MODULES = {
    "checks": "teaching.checks",
    "cuts": "tables.cuts",
}  # whole modules that lessons call by their last name

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"course_lib.{_MODULES[name]}")
    if name in _HOME:
        return getattr(import_module(f"course_lib.{_HOME[name]}"), name)
    raise AttributeError(f"module 'course_lib' has no attribute {name!r}")
