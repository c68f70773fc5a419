"""What the explorer's tests share: Node, which runs the page's own modules, and the built page's networks."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from course_lib.explorer.build import page_part
from course_lib.explorer.letters import from_letters
from course_lib.explorer.pack import unpack

RUNNER = Path(__file__).with_name("run.mjs")


@pytest.fixture(scope="session")
def node():
    """A function: a task -> what run.mjs answers. Tests that ask for it are skipped where Node is missing."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no Node.js found: the explorer's JavaScript is not tested")

    def run(task: dict):
        done = subprocess.run([program, RUNNER], input=json.dumps(task), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def block() -> bytes:
    """The networks as they stand in the built page."""
    return from_letters(page_part("weights-block"))


@pytest.fixture(scope="session")
def unpacked(block):
    return unpack(block)
