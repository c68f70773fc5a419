"""The set-up holds together: one list of dependencies, a lock that fits it, no network, twin READMEs."""

import ast
import importlib.metadata
import re
import socket
import subprocess
import sys
import tomllib

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course_lib.command.examination import locked_versions, normalised
from course_lib.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIREMENTS = [
    Requirement(line) for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
]


# --- one list of dependencies ----------------------------------------------------------------------


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_lock_pins_each_dependency_inside_its_bounds(requirement):
    version = locked_versions()[normalised(requirement.name)]
    assert version in requirement.specifier
    bounds = {specifier.operator for specifier in requirement.specifier}
    assert bounds == {">=", "<"} or requirement.name == "packaging", "give a lower and an upper bound"


def test_lock_holds_exact_versions_and_nothing_else():
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        assert re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line), f"no exact version, or more than that: {line}"


def test_environment_yml_repeats_no_dependency():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python, pip, from_pip = environment["dependencies"]
    assert pip == "pip"
    assert from_pip == {"pip": ["-c requirements.lock", "-e .[test]"]}
    name, version = python.split("=")
    assert name == "python" and f"{version}.0" in SpecifierSet(PROJECT["requires-python"])


@pytest.mark.parametrize("folder", ["course_lib", "tests"])
def test_every_imported_package_is_a_declared_dependency(folder):
    declared = {normalised(requirement.name) for requirement in REQUIREMENTS}
    # Tests import what lies beside them by its bare name; the library says course_lib.ROOM.
    ours = {"course_lib", *(path.stem for path in (ROOT / "tests").rglob("*.py") if folder == "tests")}
    distributions = importlib.metadata.packages_distributions()
    for path in (ROOT / folder).rglob("*.py"):
        for module in _imported(path) - ours - sys.stdlib_module_names:
            providers = {normalised(name) for name in distributions.get(module, [module])}
            assert providers & declared, f"{path.name} imports {module}, which pyproject.toml does not name"


def _imported(path) -> set[str]:
    """The top-level modules that a Python file imports, wherever in the file it does."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules.add(node.module.split(".")[0])
    return modules


# --- no network ------------------------------------------------------------------------------------

# An address that is reserved for documentation: nobody answers there, even if the block had a hole.
ELSEWHERE = ("192.0.2.1", 80)


def test_connection_to_another_machine_is_refused():
    with pytest.raises(ConnectionRefusedError, match="block the network"):
        socket.create_connection(ELSEWHERE, timeout=1)
    with pytest.raises(ConnectionRefusedError, match="block the network"):
        socket.getaddrinfo("example.org", 443)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        with pytest.raises(ConnectionRefusedError, match="block the network"):
            datagrams.sendto(b"", ELSEWHERE)


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()


def test_programs_that_tests_start_are_blocked_too():
    code = f"import socket; socket.create_connection({ELSEWHERE}, timeout=1)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "block the network" in finished.stderr


def test_a_jupyter_kernel_runs_but_reaches_no_other_machine():
    cell = nbformat.v4.new_code_cell(
        "import socket\n"
        "try:\n"
        f"    socket.create_connection({ELSEWHERE}, timeout=1)\n"
        "except OSError as error:\n"
        "    print(error)"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert "block the network" in cell.outputs[0].text


# --- the README and its twin -----------------------------------------------------------------------

README, TWIN = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))


def test_twin_has_the_same_headings_code_and_commands():
    assert _heading_levels(README) == _heading_levels(TWIN)
    assert _code_blocks(README) == _code_blocks(TWIN)
    assert _commands(README) == _commands(TWIN)


@pytest.mark.parametrize("readme", [README, TWIN], ids=["English", "Chinese"])
def test_readme_names_only_what_exists(readme):
    for target in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", readme):
        target = "".join(target)
        assert target.startswith("https://") or (ROOT / target).exists(), f"the README links to {target}"
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {name for tool, name in _commands(readme) if tool == "make"} <= targets
    help_text = subprocess.run(
        [sys.executable, "-c", "from course_lib.command.app import app; app()", "--help"],
        capture_output=True,
        text=True,
    ).stdout
    for name in {name for tool, name in _commands(readme) if tool == "course"}:
        assert re.search(rf"\b{name}\b", help_text), f"there is no `course {name}`"


def _code_blocks(readme: str) -> list[str]:
    return re.findall(r"^```.*?^```", readme, re.MULTILINE | re.DOTALL)


def _heading_levels(readme: str) -> list[int]:
    prose = re.sub(r"^```.*?^```", "", readme, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def _commands(readme: str) -> set[tuple[str, str]]:
    """(make or course, its target or command), wherever the README names it as code."""
    return set(re.findall(r"(?:`|^)(?:\.venv/bin/)?(make|course) ([a-z]+)", readme, re.MULTILINE))
