"""The pictures of the course: one file a figure.

A figure function is pure: it takes an ExitTrace (or arrays), draws, and returns a matplotlib Figure whose
title states what the data show and whose label is the alternative text. `style.show` displays it.
"""

from course_lib.figures.accuracy_by_exit import accuracy_by_exit
from course_lib.figures.accuracy_by_exit_of_tasks import accuracy_by_exit_of_tasks
from course_lib.figures.accuracy_by_steps import accuracy_by_steps, accuracy_table
from course_lib.figures.accuracy_by_uncertainty import accuracy_by_uncertainty
from course_lib.figures.by_layers_kept import accuracy_by_kept, masked_loss_by_kept
from course_lib.figures.divergences import divergences
from course_lib.figures.exit_layer_by_steps import exit_layer_by_steps, mean_exit_layers
from course_lib.figures.fastbert_schematic import fastbert_schematic
from course_lib.figures.kept_promises import kept_promises
from course_lib.figures.layer_by_layer import layer_by_layer
from course_lib.figures.layer_histogram import layer_histogram
from course_lib.figures.layerdrop_schematic import layerdrop_schematic
from course_lib.figures.lightweight_schematic import lightweight_schematic
from course_lib.figures.pretraining_loss import pretraining_loss
from course_lib.figures.price_bars import price_bars
from course_lib.figures.reliability import reliability_by_exit, risk_of_one_threshold
from course_lib.figures.stages_schematic import stages_schematic
from course_lib.figures.steps_by_layers_kept import cut_by_steps, first_by_steps, steps_by_layers_kept
from course_lib.figures.students_by_exit import students_by_exit
from course_lib.figures.time_by_length import time_by_length
from course_lib.figures.trade_off import trade_off
from course_lib.figures.trade_offs import at_saving, curve_of, gains_at_savings, trade_offs
from course_lib.figures.training_draws import training_draws
from course_lib.figures.weight_shares import weight_shares
from course_lib.figures.windows_by_layers import windows_by_layers

__all__ = [
    "accuracy_by_exit",
    "accuracy_by_exit_of_tasks",
    "accuracy_by_kept",
    "accuracy_by_steps",
    "accuracy_by_uncertainty",
    "accuracy_table",
    "at_saving",
    "curve_of",
    "cut_by_steps",
    "divergences",
    "exit_layer_by_steps",
    "fastbert_schematic",
    "first_by_steps",
    "gains_at_savings",
    "kept_promises",
    "layer_by_layer",
    "layer_histogram",
    "layerdrop_schematic",
    "lightweight_schematic",
    "masked_loss_by_kept",
    "mean_exit_layers",
    "pretraining_loss",
    "price_bars",
    "reliability_by_exit",
    "risk_of_one_threshold",
    "stages_schematic",
    "steps_by_layers_kept",
    "students_by_exit",
    "time_by_length",
    "trade_off",
    "trade_offs",
    "training_draws",
    "weight_shares",
    "windows_by_layers",
]
