"""Differences as lessons show them: in points, always with their interval."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_lib.measures.comparison import Difference
from course_lib.measures.equal_cost import EqualCost
from course_lib.words import t


def points(gain: Difference) -> str:
    """The difference in points and its 95 % interval; one seed alone has none."""
    key = "difference.interval" if np.isfinite(gain.low) else "difference.one_seed"
    return t(key, mean=100 * gain.mean, low=100 * gain.low, high=100 * gain.high)


def equal_cost_table(found: Sequence[EqualCost]) -> pd.DataFrame:
    """One row a recipe and saving: what early exit reaches, and how far it is ahead of each rival."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in found:
        row = rows.setdefault((each.recipe, f"{each.spent:.1f}×"), {})
        row[t("equal_cost.layers")] = f"{each.ours.layers.mean():.1f}"
        row[t("equal_cost.accuracy")] = f"{each.ours.accuracy:.1%}"
        row[t("equal_cost.minus", rival=t(f"contender.{each.rival.name}"))] = points(each.gain)
    index = [t("equal_cost.recipe"), t("equal_cost.spent")]
    table = pd.DataFrame(list(rows.values()), pd.MultiIndex.from_tuples(rows, names=index))
    return table.reset_index().set_index(index[0])


def equal_cost_in_words(found: Sequence[EqualCost]) -> str:
    """Where early exit is clearly ahead of its rival, where clearly behind, and where neither can be said."""
    parts = []
    for verdict in ("open", "ahead", "behind"):
        savings = [f"{each.spent:.1f}×" for each in found if _verdict(each.gain) == verdict]
        if savings:
            parts.append(t(f"equal_cost.{verdict}", at=t("list.comma").join(savings)))
    return t("list.semicolon").join(parts)


def _verdict(gain: Difference) -> str:
    return ("ahead" if gain.mean > 0 else "behind") if gain.clear else "open"
