"""Instant feedback for exercises: a student's function against the course's own, one file a lesson.

A check prints one line in the lesson's language: that all is well, or the first input that goes wrong,
with a hint where the mistake is a usual one. It returns True or False and never raises for what the
student wrote.
"""

from course_lib.teaching.checks.guesses import compare_choice, compare_guess
from course_lib.teaching.checks.lesson01 import check_layer_weights, check_megabytes, check_saving
from course_lib.teaching.checks.lesson02 import check_kl, check_masked_loss, check_trained_parts
from course_lib.teaching.checks.lesson03 import (
    check_budget,
    check_exit_layer,
    check_thresholds,
    check_uncertainty,
)
from course_lib.teaching.checks.lesson04 import (
    check_every_other,
    check_expected_depth,
    check_pass,
    check_renaming,
)
from course_lib.teaching.checks.lesson06 import check_equal_cost, check_interval

__all__ = [
    "check_budget",
    "check_equal_cost",
    "check_every_other",
    "check_exit_layer",
    "check_expected_depth",
    "check_interval",
    "check_kl",
    "check_layer_weights",
    "check_masked_loss",
    "check_megabytes",
    "check_pass",
    "check_renaming",
    "check_saving",
    "check_thresholds",
    "check_trained_parts",
    "check_uncertainty",
    "compare_choice",
    "compare_guess",
]
