"""The machine: what it says of itself in run records, and whether it computes in bfloat16."""

import platform
from importlib.metadata import version

from course_lib.machine import computes_bf16, machine, versions


def test_the_machine_names_its_processor_threads_and_card():
    found = machine()
    assert set(found) == {"processor", "threads", "gpu"}
    assert found["processor"] and found["threads"] >= 1


def test_the_versions_are_those_installed():
    found = versions()
    assert found["torch"] == version("torch") and found["transformers"] == version("transformers")
    assert found["python"] == platform.python_version()


def test_bf16_is_told_from_the_processor():
    assert isinstance(computes_bf16(), bool)
