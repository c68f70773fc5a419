"""Early exit against a fixed depth at equal FLOPs, at several savings: a table, and what it says in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.measures.comparison import Contender, Difference, difference
from course_lib.measures.trace import load_traces
from course_lib.paths import TRACES
from course_lib.tables.rivals import contender_word, interval, rivals
from course_lib.words import t


@dataclass(frozen=True)
class EqualCost:
    """One comparison.

    Fields:
        recipe; seeds: how many of it are compared.
        spent: times fewer FLOPs than the whole network's, on the test texts.
        ours: early exit; rival: at the same cost; gain: ours minus the rival's.
    """

    recipe: str
    seeds: int
    spent: float
    ours: Contender
    rival: Contender
    gain: Difference


def equal_cost(
    recipe: str, savings: Sequence[float] = (2, 4, 7), rival: str = "fixed_depth", traces: Path = TRACES
) -> list[EqualCost]:
    """Speeds are chosen on validation texts, seed by seed; the test texts' answers are compared.

    Raises:
        FileNotFoundError: the recipe has no traces.
    """
    found = []
    for saving in savings:
        ours, others, whole = rivals(recipe, saving, traces=traces)
        other = next(each for each in others if each.name == rival)
        spent = float(np.mean(whole.cost) / np.mean(ours.cost))
        found.append(EqualCost(recipe, len(ours.right), spent, ours, other, difference(ours, other)))
    return found


def equal_cost_table(found: Sequence[EqualCost]) -> pd.DataFrame:
    """One row a comparison: what both reach, and how far early exit is ahead."""
    rows = [
        {
            t("equal_cost.recipe"): each.recipe,
            t("equal_cost.spent"): f"{each.spent:.1f}×",
            t("equal_cost.layers"): f"{each.ours.layers.mean():.1f}",
            contender_word(each.ours.name): f"{each.ours.accuracy:.1%}",
            contender_word(each.rival.name): f"{each.rival.accuracy:.1%}",
            t("rivals.ahead"): points(each.gain),
        }
        for each in found
    ]
    return pd.DataFrame(rows).set_index(t("equal_cost.recipe"))


def equal_cost_in_words(found: Sequence[EqualCost]) -> str:
    """Where early exit is clearly ahead of its rival, where clearly behind, and where neither can be said."""
    parts = []
    for verdict in ("open", "behind", "ahead"):
        savings = [f"{each.spent:.1f}×" for each in found if _verdict(each.gain) == verdict]
        if savings:
            parts.append(t(f"equal_cost.{verdict}", at=t("list.comma").join(savings)))
    return t("list.semicolon").join(parts)


def exit_gain(recipe: str, traces: Path = TRACES) -> dict[str, float]:
    """Accuracy of the first and the last exit, mean over the seeds, and the difference in points."""
    by_exit = np.mean([trace.accuracy_by_layer for trace in load_traces(recipe, "test", traces)], axis=0)
    return {"first": by_exit[0], "last": by_exit[-1], "points": 100 * (by_exit[-1] - by_exit[0])}


def price_of_exit(recipe: str, saving: float, traces: Path = TRACES) -> dict[str, str | float | bool]:
    """What early exit loses against the whole network at a saving, and what that is ahead of TF-IDF by.

    Raises:
        StopIteration: there are no answers of TF-IDF on this task.
    """
    ours, others, whole = rivals(recipe, saving, traces=traces)
    counted = next(each for each in others if each.name == "tfidf")
    loss, over = difference(ours, whole), difference(whole, counted)
    return {
        "spent": float(np.mean(whole.cost) / np.mean(ours.cost)),
        "loss": interval(loss),
        "loss_is_clear": loss.clear,
        "over_tfidf": interval(over),
        "over_tfidf_is_clear": over.clear,
    }


def points(gain: Difference) -> str:
    """A difference in points with its 95 % interval; where there is one seed and no single answers, none."""
    return interval(gain) if np.isfinite(gain.low) else t("equal_cost.one_seed", mean=100 * gain.mean)


def _verdict(gain: Difference) -> str:
    return ("ahead" if gain.mean > 0 else "behind") if gain.clear else "open"
