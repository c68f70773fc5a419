"""Accuracies exit by exit, and the tables of the recipes that lesson 03 sets side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.measures.outcomes import outcomes
from course_lib.measures.report import seed_records, summary
from course_lib.measures.trace import ExitTrace
from course_lib.paths import RUNS
from course_lib.words import t

TURNS = ("但", "不过", "虽然", "可是")  # words with which a review turns round


def accuracy_by_exit_table(
    recipes: Mapping[str, str], exits: Sequence[int] | None = None, runs: Path = RUNS
) -> pd.DataFrame:
    """One row a recipe (word to show -> its name), one column an exit; means over the seeds."""
    means = {word: summary(recipe, runs)["accuracy_by_layer"] for word, recipe in recipes.items()}
    chosen = exits or range(1, len(next(iter(means.values()))) + 1)
    cells = {word: [f"{row[exit - 1][0]:.1%}" for exit in chosen] for word, row in means.items()}
    return pd.DataFrame(cells, [f"{t('slider.column_exit')} {exit}" for exit in chosen]).T


def teacher_by_steps_table(recipes: Sequence[str], runs: Path = RUNS) -> pd.DataFrame:
    """What the last exit gets right, by recipe and number of steps; means over the seeds."""
    found = {name: summary(name, runs)["by_steps"] for name in recipes}
    rows = {
        name: {f"{t('axis.steps')} {steps}": each["teacher"][0] for steps, each in by_steps.items()}
        for name, by_steps in found.items()
    }
    return pd.DataFrame(rows).T.round(3)


def kl_table(recipes: Sequence[str], runs: Path = RUNS) -> pd.DataFrame:
    """What early exit gets right at speed 0.5, and how deep it must go to lose 0.2 points at most."""
    rows = {}
    for name in recipes:
        curves = [record["metrics"]["tradeoff"] for record in seed_records(name, runs)]
        halfway = [curve["accuracy"][curve["speed"].index(0.5)] for curve in curves]
        within = summary(name, runs)["at_budget"]["0.002"]
        rows[name] = [np.mean(halfway), within["speed"][0], within["mean_layer"][0]]
    columns = [t(f"kl.{name}") for name in ("accuracy", "speed", "layers")]
    return pd.DataFrame(rows, columns).T.round(3)


def outcome_table(trace: ExitTrace, texts: Sequence[str]) -> pd.DataFrame:
    """One row a group of `outcomes`: how many reviews, how long, and how many turn round in the middle."""
    turns = np.array([any(word in text for word in TURNS) for text in texts])
    groups = outcomes(trace)
    table = pd.DataFrame(
        {
            "number": [group.sum() for group in groups.values()],
            "tokens": [trace.lengths[group].mean().round(1) for group in groups.values()],
            "turns": [f"{turns[group].mean():.0%}" for group in groups.values()],
        },
        [t(f"reviews.{name}") for name in groups],
    )
    return table.rename(columns=lambda name: t(f"reviews.{name}"))
