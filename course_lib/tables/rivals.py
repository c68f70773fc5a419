"""Early exit beside its rivals: the same texts, at equal cost, each difference with its interval."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.measures.answers import contender, load_answers
from course_lib.measures.comparison import (
    Contender,
    Difference,
    difference,
    early_exit,
    fixed_depth,
    patience,
    random_exit,
    speeds_for,
    whole_network,
)
from course_lib.measures.trace import load_traces
from course_lib.paths import TRACES
from course_lib.words import catalogue, t


def rivals_table(
    model: str, speedup: float, static: Sequence[str] = (), traces: Path = TRACES
) -> pd.DataFrame:
    """A FastBERT that saves `speedup` times the FLOPs, and everybody else.

    Args:
        model: a recipe whose traces are there ("reviews-e5").
        speedup: speeds are chosen for it on the validation split, seed by seed.
        static: recipes of models without exits ("reviews-e5-student-6", "reviews-tfidf"), at their own cost.

    Returns:
        One row a contender, under its name in the language in use: accuracy, layers, FLOPs speed-up against
        the whole network, and how far early exit is ahead of it (points, with the 95 % interval).
    """
    return in_words(*rivals(model, speedup, static, traces))


def rivals(
    model: str, speedup: float, static: Sequence[str] = (), traces: Path = TRACES
) -> tuple[Contender, list[Contender], Contender]:
    """-> early exit, its rivals, and the whole network (one of them)."""
    validations, tests = (load_traces(model, split, traces) for split in ("validation", "test"))
    speeds = speeds_for(validations, speedup)
    early, whole = early_exit(tests, speeds), whole_network(tests)
    others = [
        fixed_depth(tests, early.cost),
        patience(tests, early.cost),
        random_exit(tests, early, speeds),
        whole,
    ]
    others += [contender(kind_of(name), load_answers(name, "test", traces)) for name in static]
    return early, others, whole


def kind_of(recipe: str) -> str:
    """The word for a recipe: "laws-e5-student-6" -> "student-6", "news-tfidf" -> "tfidf"."""
    parts = recipe.split("-")
    return "-".join(parts[-2:]) if "student" in parts else parts[-1]


def in_words(early: Contender, others: Sequence[Contender], whole: Contender) -> pd.DataFrame:
    """The table of `rivals_table`."""
    rows = [_row(early, whole, "")]
    rows += [_row(each, whole, interval(difference(early, each))) for each in others]
    return pd.DataFrame(rows).set_index(t("rivals.contender"))


def interval(found: Difference, unit: float = 100) -> str:
    """ "+1.6 (0.4 to 2.8)", in points."""
    mean, low, high = (unit * value for value in (found.mean, found.low, found.high))
    return t("rivals.interval", mean=mean, low=low, high=high)


def _row(each: Contender, whole: Contender, ahead: str) -> dict:
    layers, saved = np.mean(each.layers), np.mean(whole.cost) / np.mean(each.cost)
    return {
        t("rivals.contender"): contender_word(each.name),
        t("rivals.accuracy"): f"{each.accuracy:.1%}",
        t("rivals.layers"): "" if np.isnan(layers) else f"{layers:.1f}",
        t("rivals.flops_speedup"): f"{saved:.3g}x",
        t("rivals.ahead"): ahead,
    }


def contender_word(name: str) -> str:
    """A contender's name in the language in use; one that the catalogue does not know is called as it is."""
    return t(f"contender.{name}") if f"contender.{name}" in catalogue() else name
