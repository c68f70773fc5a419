"""Steps that fit into the time: judged by a clock that the tests set themselves."""

import pytest

from course_lib.measures.time_box import in_time


class Machine:
    """Steps that take `seconds` each, and the clock that says so."""

    def __init__(self, seconds):
        self.seconds, self.now, self.ran = seconds, 0.0, []

    def run(self, steps):
        self.ran.append(steps)
        self.now += steps * self.seconds
        return f"{steps} steps"

    def in_time(self, steps, at_most, **more):
        return in_time(self.run, steps, at_most, clock=lambda: self.now, **more)


def test_an_idle_machine_makes_all_steps():
    machine = Machine(0.1)
    assert machine.in_time(60, at_most=20) == ("60 steps", 60) and machine.ran == [2, 60]


def test_a_busy_machine_makes_as_many_as_fit():
    machine = Machine(1.0)
    assert machine.in_time(60, at_most=20) == ("18 steps", 18)
    assert machine.now == 20


def test_a_machine_that_hardly_moves_keeps_the_trial():
    machine = Machine(30.0)
    assert machine.in_time(60, at_most=20) == ("2 steps", 2) and machine.ran == [2]


def test_a_clock_too_coarse_to_tell_lets_all_steps_run():
    assert Machine(0.0).in_time(60, at_most=20) == ("60 steps", 60)


@pytest.mark.parametrize("trial", [0, 61])
def test_a_trial_of_another_length_is_refused(trial):
    with pytest.raises(ValueError, match=f"between 1 and 60 steps, not {trial}"):
        Machine(0.1).in_time(60, at_most=20, trial=trial)
