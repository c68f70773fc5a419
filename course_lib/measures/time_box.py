"""What a lesson trains live gets as many steps as fit into some seconds: a busy machine makes fewer."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def in_time(
    run: Callable[[int], Result], steps: int, at_most: float, trial: int = 2, clock=time.perf_counter
) -> tuple[Result, int]:
    """Runs `run(n)` -> what it returns, and n: how far it got.

    A trial of a few steps tells how long one takes; n is then at most `steps`, and no more than fit into what
    is left of `at_most` seconds. Where not even the trial fits, its result is taken.

    Raises:
        ValueError: fewer steps asked for than the trial has, or a trial of none.
    """
    if not 1 <= trial <= steps:
        raise ValueError(f"the trial must have between 1 and {steps} steps, not {trial}")
    began = clock()
    result = run(trial)
    spent = clock() - began
    fitting = steps if spent <= 0 else int((at_most - spent) / (spent / trial))
    number = min(steps, fitting)
    return (run(number), number) if number > trial else (result, trial)
