"""PyTorch's threads sleep while they wait: in the command, in the tests, and in every kernel."""

import os
import subprocess
import sys

import nbformat
from nbclient import NotebookClient

from course_lib.paths import ROOT


def test_the_tests_themselves_run_with_sleeping_threads():
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_importing_the_course_is_enough_and_loads_no_pytorch():
    code = "import os, sys, course_lib; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["PASSIVE", "False"]


def test_who_chose_otherwise_is_left_alone():
    code = "import os, course_lib; print(os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_WAIT_POLICY": "ACTIVE"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "ACTIVE"


def test_a_kernel_has_it_before_anything_is_imported(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY")  # so that the kernel cannot have it from here
    cell = nbformat.v4.new_code_cell("import os; print(os.environ.get('OMP_WAIT_POLICY'))")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert cell.outputs[0].text.strip() == "PASSIVE"
