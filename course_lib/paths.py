"""Where the course keeps its things: everything below the folder that holds `course_lib`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
CHECKPOINTS = DATA / "checkpoints"
RECIPES = DATA / "recipes"
RUNS = DATA / "runs"
ANSWERS = DATA / "answers"
TRACES = DATA / "traces"
UNFINISHED = DATA / "unfinished"  # what an interrupted training resumes from; not committed
