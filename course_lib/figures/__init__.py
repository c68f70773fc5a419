"""The pictures of the course: one file a figure.

A figure function is pure: it takes an ExitTrace (or arrays), draws, and returns a matplotlib Figure whose
title states what the data show and whose label is the alternative text. `style.show` displays it.
"""

from course_lib.figures.accuracy_by_exit import accuracy_by_exit
from course_lib.figures.accuracy_by_steps import accuracy_by_steps, accuracy_table
from course_lib.figures.accuracy_by_uncertainty import accuracy_by_uncertainty, by_uncertainty
from course_lib.figures.exit_layer_by_steps import exit_layer_by_steps, mean_exit_layers
from course_lib.figures.layer_histogram import layer_histogram
from course_lib.figures.trade_off import trade_off

__all__ = [
    "accuracy_by_exit",
    "accuracy_by_steps",
    "accuracy_by_uncertainty",
    "accuracy_table",
    "by_uncertainty",
    "exit_layer_by_steps",
    "layer_histogram",
    "mean_exit_layers",
    "trade_off",
]
