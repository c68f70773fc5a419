"""Run records: what was trained, on what, from which seed, and what came out, as JSON."""

import json
from pathlib import Path

from course_lib.machine import machine, versions
from course_lib.paths import RUNS


def write_record(name: str, record: dict, folder: Path = RUNS) -> dict:
    """Writes `record` to data/runs/<name>.json, and returns it with the machine and the versions."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    record = {**record, "machine": machine(), "versions": versions()}
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return record


def read_record(name: str, folder: Path = RUNS) -> dict:
    """The record of that name.

    Raises:
        FileNotFoundError: there is none; the message lists those there are.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(f"no run record {name!r}; there are: {names}")
    return json.loads(path.read_text("utf-8"))
