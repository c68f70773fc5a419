"""What holds for every test and every lesson: no network, no deadlines of wall-clock time, one browser."""

import os
import runpy
from pathlib import Path

import hypothesis
import pytest

OFFLINE = Path(__file__).parent / "tests" / "offline"

# This process, and by PYTHONPATH every kernel and command that it starts.
runpy.run_path(str(OFFLINE / "sitecustomize.py"))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before PyTorch is loaded; see course_lib/__init__.py
if "PYTEST_XDIST_WORKER" in os.environ:  # processes side by side, and what they start: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# On a busy machine an example may take long; that is no failure.
hypothesis.settings.register_profile("course", deadline=None)
hypothesis.settings.load_profile("course")


def pytest_addoption(parser):
    parser.addoption("--pictures", action="store_true", help="renew the READMEs' pictures")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome; tests that ask for it are skipped where there is none."""
    from course_lib.command import examination  # not before the network is blocked

    path = examination.find_browser()
    if path is None:
        pytest.skip(f"no Chromium or Chrome found; {examination.BROWSER_REMEDY}")
    return path
