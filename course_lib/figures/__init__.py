"""The pictures of the course: one file a figure.

A figure function is pure: it takes an ExitTrace (or arrays), draws, and returns a matplotlib Figure whose
title states what the data show and whose label is the alternative text. `style.show` displays it.
"""

from course_lib.figures.accuracy_by_exit import accuracy_by_exit
from course_lib.figures.accuracy_by_exit_of_tasks import accuracy_by_exit_of_tasks
from course_lib.figures.accuracy_by_steps import accuracy_by_steps, accuracy_table
from course_lib.figures.accuracy_by_uncertainty import accuracy_by_uncertainty
from course_lib.figures.by_layers_kept import accuracy_by_kept, masked_loss_by_kept
from course_lib.figures.exit_layer_by_steps import exit_layer_by_steps, mean_exit_layers
from course_lib.figures.fastbert_schematic import fastbert_schematic
from course_lib.figures.kept_promises import kept_promises
from course_lib.figures.layer_histogram import layer_histogram
from course_lib.figures.layerdrop_schematic import layerdrop_schematic
from course_lib.figures.reliability import reliability_by_exit, risk_of_one_threshold
from course_lib.figures.steps_by_layers_kept import cut_by_steps, first_by_steps, steps_by_layers_kept
from course_lib.figures.time_by_length import time_by_length
from course_lib.figures.trade_off import trade_off
from course_lib.figures.trade_offs import at_saving, curve_of, gains_at_savings, trade_offs
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
    "exit_layer_by_steps",
    "fastbert_schematic",
    "first_by_steps",
    "gains_at_savings",
    "kept_promises",
    "layer_histogram",
    "layerdrop_schematic",
    "masked_loss_by_kept",
    "mean_exit_layers",
    "reliability_by_exit",
    "risk_of_one_threshold",
    "steps_by_layers_kept",
    "time_by_length",
    "trade_off",
    "trade_offs",
    "windows_by_layers",
]
