"""What a cut takes first: accuracy on the worlds by number of steps and of layers kept."""

from pathlib import Path

import pandas as pd
from matplotlib import rcParams
from matplotlib.figure import Figure

from course_lib.figures.heatmap import draw_heatmap
from course_lib.figures.studies import study_word
from course_lib.measures.report import seed_records
from course_lib.paths import RUNS
from course_lib.style import describe, new_figure
from course_lib.words import t


def cut_by_steps(recipe: str, runs: Path = RUNS) -> pd.DataFrame:
    """The share of worlds answered rightly after a cut, mean over the seeds of a FastBERT recipe.

    Rows: number of steps; columns: layers kept, all of them first.

    Raises:
        ValueError: the seeds' records hold different cuts.
    """
    metrics = [record["metrics"] for record in seed_records(recipe, runs)]
    tables = [
        pd.DataFrame({int(keep): cut["accuracy_by_steps"] for keep, cut in each["cut"].items()})
        for each in metrics
    ]
    if any(not table.columns.equals(tables[0].columns) for table in tables):
        raise ValueError(f"the seeds of {recipe!r} were cut to different numbers of layers")
    return sum(tables) / len(tables)


def first_by_steps(recipe: str, runs: Path = RUNS) -> pd.DataFrame:
    """The share of worlds answered rightly by a network that ends after its first layers.

    Its own exit answers there; mean over the seeds of a FastBERT recipe. Rows: number of steps; columns:
    layers kept, from 1.
    """
    tables = [
        pd.DataFrame({steps: found["accuracy_by_layer"] for steps, found in each.items()}).T
        for each in (record["metrics"]["by_steps"] for record in seed_records(recipe, runs))
    ]
    mean = sum(tables) / len(tables)
    return mean.rename(columns=lambda number: number + 1)


def steps_by_layers_kept(tables: dict[str, pd.DataFrame]) -> Figure:
    """One table in colours for each of two studies or more (see `cut_by_steps`), side by side.

    The title names the cell in which the last study is farthest ahead of the first.
    """
    figure, panels = new_figure(width=9.0, height=4.2, ncols=len(tables), sharey=True, squeeze=False)
    for axes, (study, table) in zip(panels[0], tables.items(), strict=True):
        draw_heatmap(axes, table, colour_bar=False)
        axes.set(xlabel=t("axis.layers_kept"), ylabel=t("axis.steps"), title=study_word(study))
    parts = [
        t("figure.steps_by_kept_part", study=study_word(study), cells=_in_words(table))
        for study, table in tables.items()
    ]
    title = _finding(tables)
    figure.suptitle(title, x=0.01, ha="left", fontsize=rcParams["axes.titlesize"])
    return describe(figure, t("figure.steps_by_kept", title=title, parts=t("list.semicolon").join(parts)))


def _finding(tables: dict[str, pd.DataFrame]) -> str:
    """Where the last study is farthest ahead of the first: that cell, in words."""
    (first, one), *_, (last, other) = tables.items()
    steps, keep = (other - one).stack().idxmax()
    shares = {"first": study_word(first), "last": study_word(last)}
    shares |= {"low": one.loc[steps, keep], "high": other.loc[steps, keep]}
    return t("figure.steps_by_kept_title", steps=steps, keep=keep, **shares)


def _in_words(table: pd.DataFrame) -> str:
    """The hardest worlds, by layers kept: "6: 99 %, 3: 40 %"."""
    hardest = table.iloc[-1]
    cells = [t("figure.steps_by_kept_cell", keep=keep, share=share) for keep, share in hardest.items()]
    return t("list.comma").join(cells)
