"""The outline's numbered tables: technique and number -> the function that makes it.

Each technique has tables 1 to 13; captions are in words/outline.toml, under "outline.fastbert.table5".
Decks name tables by number alone, so a better one replaces the entry here and nothing else.
"""

from collections.abc import Callable

import pandas as pd

from course_lib.measures.cuts import cut_table
from course_lib.measures.published import published
from course_lib.tables.by_exit import kl_table
from course_lib.tables.cuts import (
    cut_gains,
    cut_means,
    gains_table,
    rule_table,
    small_networks,
    tuned_means,
)
from course_lib.tables.equal_cost import equal_cost, equal_cost_table
from course_lib.tables.papers import (
    calm_table,
    fastbert_ablation,
    fastbert_means,
    fastbert_tasks,
    generation_table,
    layerdrop_sizes,
)
from course_lib.tables.rivals import in_words, rivals
from course_lib.tables.settings import settings_table
from course_lib.tables.worded import worded
from course_lib.words import t

STUDIES = ("plain", "layerdrop", "half")


def _at_equal_cost(recipe: str) -> pd.DataFrame:
    """Early exit and fixed depth at the same FLOPs, a row a saving."""
    table = equal_cost_table(equal_cost(recipe)).reset_index(drop=True)
    return table.set_index(t("equal_cost.spent"))


def _directions() -> pd.DataFrame:
    """Both directions of the KL divergence, and no help in fine-tuning."""
    recipes = ("worlds-fastbert", "worlds-paper-kl", "worlds-unaided")
    return kl_table(recipes).rename(index=lambda name: t(f"recipe.{name}")).map("{:g}".format).rename_axis("")


def _contenders() -> pd.DataFrame:
    """Everybody at four times fewer FLOPs (whole network and TF-IDF apart), on the reviews."""
    table = in_words(*rivals("reviews-e5", 4))
    columns = [t("rivals.accuracy"), t("rivals.ahead")]
    return table[columns].rename(columns={columns[1]: t("papers.ahead")})


def _speedup(**conditions: str) -> str:
    return published(**conditions)[0]["speedup"]


def _row(**conditions: str) -> str:
    return published(**conditions)[0]["value"]


def _gains() -> pd.DataFrame:
    """LayerDrop against none, cut and not trained again: points by layers kept."""
    table = cut_table("plain", "layerdrop")
    return gains_table({t("study.layerdrop"): cut_gains(table, "layerdrop", "plain")}, t("axis.layers_kept"))


def _cut_only() -> pd.DataFrame:
    """Mean accuracy in per cent by layers kept, every other one, not trained again."""
    table = cut_table(*STUDIES)
    kept = table[table["way"].isin(("whole", "every_other"))]
    means = 100 * kept.groupby(["study", "keep"], sort=False)["accuracy"].mean().unstack("keep")
    means = means[sorted(means, reverse=True)].map("{:.1f}".format)
    return (
        means.rename(index=lambda study: t(f"study.{study}"))
        .rename_axis(None)
        .rename_axis(columns=t("axis.layers_kept"))
    )


TABLES: dict[tuple[str, int], Callable[[], pd.DataFrame]] = {
    ("fastbert", 1): fastbert_means,
    ("fastbert", 2): lambda: worded("outline.words.stages"),
    ("fastbert", 3): lambda: worded("outline.words.fastbert_new"),
    ("fastbert", 4): fastbert_ablation,
    ("fastbert", 5): lambda: _at_equal_cost("reviews-e5"),
    ("fastbert", 6): _directions,
    ("fastbert", 7): lambda: settings_table("reviews-e5"),
    ("fastbert", 8): fastbert_tasks,
    ("fastbert", 9): lambda: worded("outline.words.fastbert_sides"),
    ("fastbert", 10): lambda: worded(
        "outline.words.fastbert_better",
        gain=_row(paper="DREX"),
        calm=_speedup(
            paper="CALM", model="T5 8-layer, softmax", dataset="CNN", setting="risk consistency delta=0.05"
        ),
    ),
    ("fastbert", 11): lambda: worded(
        "outline.words.fastbert_next",
        skip=_speedup(paper="LayerSkip (Elh", dataset="CNN/DM"),
        slow=_row(
            paper="LayerSkip HF", model="facebook/layerskip-llama2-13B", setting="assistant_early_exit=4"
        ),
    ),
    ("fastbert", 12): _contenders,
    ("fastbert", 13): calm_table,
    ("layerdrop", 1): layerdrop_sizes,
    ("layerdrop", 2): lambda: worded("outline.words.depths"),
    ("layerdrop", 3): lambda: worded("outline.words.layerdrop_new"),
    ("layerdrop", 4): _gains,
    ("layerdrop", 5): lambda: cut_means(
        cut_table("layerdrop"), ("every_other", "first", "search", "data_driven")
    ),
    ("layerdrop", 6): lambda: tuned_means(cut_table(*STUDIES), small_networks()),
    ("layerdrop", 7): lambda: rule_table(12, (9, 8, 6, 4, 3)),
    ("layerdrop", 8): lambda: layerdrop_sizes("3"),
    ("layerdrop", 9): lambda: worded("outline.words.layerdrop_sides"),
    ("layerdrop", 10): lambda: worded("outline.words.layerdrop_better"),
    ("layerdrop", 11): lambda: worded(
        "outline.words.layerdrop_next", skip=_speedup(paper="LayerSkip (Elh", dataset="CNN/DM")
    ),
    ("layerdrop", 12): _cut_only,
    ("layerdrop", 13): generation_table,
}
TECHNIQUES = ("fastbert", "layerdrop")


def outline_table(technique: str, number: int) -> pd.DataFrame:
    """The table with that number in the outline of "fastbert" or "layerdrop".

    Raises:
        ValueError: an unknown technique or number.
    """
    if (technique, number) not in TABLES:
        raise ValueError(f"no table {number} of {technique!r}; there are 1 to 13 of {', '.join(TECHNIQUES)}")
    return TABLES[technique, number]()
