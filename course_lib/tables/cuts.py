"""What a cut leaves, as lesson 04 shows it: means over the seeds, and differences with their intervals."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import binom

from course_lib.measures.bench_depth import DepthBench
from course_lib.measures.bench_layerdrop import LayerDropBench
from course_lib.measures.comparison import Difference
from course_lib.measures.cuts import compare_cuts, cut_table, practised
from course_lib.measures.published import published
from course_lib.models.layerdrop import draw, drop_rates
from course_lib.models.pruning import every_other, recommended_rate
from course_lib.paths import RUNS
from course_lib.tables.equal_cost import points
from course_lib.words import t

TICK = " ✓"  # beside a difference whose interval leaves 0 out
KEEPS = (9, 6, 3, 2)


# --- coins and rules -------------------------------------------------------------------------------


def drawn_depths(rate: float, num_layers: int, steps: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """How many layers run in a step: the share of the steps drawn, and what the binomial law expects.

    Columns: numbers of layers, from the fewest that were seen.
    """
    generator, rates = torch.Generator().manual_seed(seed), drop_rates(rate, num_layers)
    depths = torch.stack([draw(rates, generator) for _ in range(steps)]).sum(1)  # [S]
    seen = torch.bincount(depths, minlength=num_layers + 1).numpy() / steps
    numbers = np.arange(int(depths.min()), num_layers + 1)
    rows = [seen[numbers], binom.pmf(numbers, num_layers, 1 - rate)]
    table = pd.DataFrame(rows, [t("draws.seen"), t("draws.binomial")], numbers)
    return table.rename_axis(columns=t("draws.layers")).round(3)


def by_the_rule(num_layers: int, keep: int) -> list[int]:
    """The paper's Every Other, whatever it leaves: not always `keep` layers, and above p = 0.5 none."""
    period = num_layers // (num_layers - keep)  # floor(1/p)
    return [depth for depth in range(1, num_layers + 1) if depth % period]


def rule_table(num_layers: int, wanted: Sequence[int]) -> pd.DataFrame:
    """By layers wanted: the matching drop rate, how many layers the rule keeps, and which the course does."""
    rows = [
        [f"{recommended_rate(num_layers, keep):.2f}", len(by_the_rule(num_layers, keep))]
        + [str(every_other(num_layers, keep))]
        for keep in wanted
    ]
    names = [t(f"rule.{name}") for name in ("rate", "kept", "course")]
    return pd.DataFrame(rows, pd.Index(wanted, name=t("rule.wanted")), names)


# --- accuracies ------------------------------------------------------------------------------------


def practised_shares(num_layers: int, few: int, fewest: int) -> dict[str, float]:
    """The share of training steps in which at most `few` or `fewest` layers run, at rates 0.2 and 0.5."""
    keeps, rates = {"few": few, "fewest": fewest}, {"low": 0.2, "high": 0.5}
    found = {
        f"{keep}_{rate}": practised(rates[rate], num_layers, keeps[keep]) for keep in keeps for rate in rates
    }
    return {"few": few, "fewest": fewest, **found}


def shares_table(shares: Mapping[str, float]) -> pd.DataFrame:
    """One row a name: what is answered rightly, in per cent."""
    return pd.DataFrame({t("axis.accuracy"): [f"{share:.1%}" for share in shares.values()]}, list(shares))


def points_lost(table: pd.DataFrame, study: str, way: str = "every_other") -> pd.Series:
    """By layers kept: how many points of mean accuracy a cut costs, not trained after it."""
    means = 100 * table[table["study"] == study].groupby(["way", "keep"])["accuracy"].mean()
    return (means["whole"].iloc[0] - means[way]).sort_index(ascending=False)


def mean_accuracy(table: pd.DataFrame, keep: int, way: str) -> dict[str, float]:
    """By study: the mean accuracy (a share) at `keep` layers."""
    rows = table[(table["keep"] == keep) & (table["way"] == way)]
    return rows.groupby("study", sort=False)["accuracy"].mean().to_dict()


def steps_table(rows: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Shares by number of steps, one row a network, in per cent."""
    return pd.DataFrame(rows).T.rename_axis(columns=t("axis.steps")).map("{:.0%}".format)


def rates_table(rates: Sequence[float]) -> pd.DataFrame:
    """One drop rate a layer, in one row."""
    row = [f"{float(rate):.2f}" for rate in rates]
    table = pd.DataFrame([row], ["p"], range(1, len(row) + 1))
    return table.rename_axis(columns=t("axis.layer"))


def cut_means(table: pd.DataFrame, ways: Sequence[str], keeps: Sequence[int] = KEEPS) -> pd.DataFrame:
    """Mean accuracy in per cent. Rows: study and layers kept; columns: how the layers were chosen."""
    means = 100 * table.groupby(["study", "keep", "way"], sort=False)["accuracy"].mean()
    rows = {
        t("depth.row", study=t(f"study.{study}"), keep=keep): [
            f"{means[study, keep, way]:.1f}" for way in ways
        ]
        for study in dict.fromkeys(table["study"])
        for keep in keeps
    }
    return pd.DataFrame(rows, [t(f"depth.{way}") for way in ways]).T


def small_networks(runs: Path = RUNS) -> pd.DataFrame:
    """Rows like `cut_table`'s for the rivals of 6 and 3 layers: small from the start, and distilled."""
    table = cut_table("small-6", "small-3", "student-6", "student-3", runs=runs)
    return table.assign(study=table["study"].str.replace(r"-\d+$", "", regex=True))


def together(table: pd.DataFrame, rivals: pd.DataFrame) -> pd.DataFrame:
    """The studies of both tables in one, so that `cut_gains` can compare across them."""
    return pd.concat([table, rivals], ignore_index=True)


def tuned_means(table: pd.DataFrame, rivals: pd.DataFrame, keeps: Sequence[int] = KEEPS) -> pd.DataFrame:
    """Mean accuracy in per cent: networks trained after the cut, and `small_networks` of the same size."""
    chosen = together(table[table["way"] == "tuned"], rivals[rivals["way"] == "whole"])
    means = 100 * chosen.groupby(["study", "keep"], sort=False)["accuracy"].mean().unstack("keep")
    shown = means[list(keeps)].map("{:.1f}".format).replace("nan", "")
    return (
        shown.rename(index=lambda study: t(f"study.{study}"))
        .rename_axis(None)
        .rename_axis(columns=t("axis.layers_kept"))
    )


# --- differences -----------------------------------------------------------------------------------


def gains_table(gains: Mapping[str, Mapping[Hashable, Difference]], columns: str = "") -> pd.DataFrame:
    """Differences in points with their 95 % intervals; a tick where the interval leaves 0 out.

    Args:
        gains: row -> column -> difference; a row may lack columns.
        columns: what the columns are.
    """
    cells = {
        row: {column: points(gain) + (TICK if gain.clear else "") for column, gain in each.items()}
        for row, each in gains.items()
    }
    return pd.DataFrame(cells).T.fillna("").rename_axis(columns=columns or None)


def cut_gains(
    table: pd.DataFrame,
    ours: str,
    theirs: str,
    way: str = "every_other",
    their_way: str | None = None,
    keeps: Sequence[int] = KEEPS,
) -> dict[int, Difference]:
    """A row of `gains_table`: `compare_cuts` at each number of layers kept."""
    return {keep: compare_cuts(table, keep, ours, theirs, way, their_way) for keep in keeps}


def verdict_at(gains: Mapping[int, Difference], keep: int) -> str:
    """The difference at `keep` layers, and whether seeds can tell it: "+0.6 (+0.1 to +1.0), clear"."""
    word = t("verdict.short_clear" if gains[keep].clear else "verdict.short_open")
    return points(gains[keep]) + t("list.comma") + word


def verdict(gain: Difference) -> str:
    """Whether the seeds can tell a difference: a sentence of its own."""
    return t("verdict.clear" if gain.clear else "verdict.open")


def clear_columns(gains: Mapping[Hashable, Difference], sign: int) -> str:
    """The columns in which a difference of that sign is clear, as a list in words; or "none"."""
    found = [str(column) for column, gain in gains.items() if gain.clear and sign * gain.mean > 0]
    return t("list.comma").join(found) or t("verdict.nowhere")


# --- time ------------------------------------------------------------------------------------------


def training_time_table(benches: Sequence[LayerDropBench]) -> pd.DataFrame:
    """One row a drop rate: what the coins promise, and what the layers and the whole step took."""
    names = ["rate", "expected", "layer_part", "whole_step"]
    table = pd.DataFrame([asdict(each) for each in benches])[names].round(2)
    return table.rename(columns=lambda name: t(f"bench.{name}"))


def depth_time_table(costs: Sequence[DepthBench]) -> pd.DataFrame:
    """One row a number of layers kept: parameters, milliseconds, speed-up counted and measured."""
    names = ["keep", "parameters", "milliseconds", "promised", "speedup"]
    table = pd.DataFrame([asdict(each) for each in costs])[names].round(2)
    return table.rename(columns=lambda name: t(f"bench.{name}"))


def unit_time_table(units: Mapping[str, LayerDropBench]) -> pd.DataFrame:
    """One row a unit that is dropped: the share that ran, and what the layers took."""
    rows = {t(f"unit.{unit}"): [found.ran, found.layer_part] for unit, found in units.items()}
    return pd.DataFrame(rows, [t("bench.ran"), t("bench.layer_part")]).T.round(2)


# --- the papers ------------------------------------------------------------------------------------


def paper_sizes() -> pd.DataFrame:
    """LayerDrop's Table 7: number of layers and model by data set, in per cent on development sets."""
    rows = pd.DataFrame(published(paper="LayerDrop", table="Table 7"))
    rows["value"], rows["layers"] = rows["value"].astype(float), rows["setting"].str.slice(0, 1)
    return rows.pivot_table(index=["layers", "model"], columns="dataset", values="value", sort=False)


def paper_sizes_table() -> pd.DataFrame:
    """`paper_sizes` as text."""
    table = paper_sizes().rename_axis([t("axis.layers_kept"), ""]).rename_axis(None, axis=1)
    return table.map("{:.1f}".format).replace("nan", "")


def better_than_scratch() -> dict[str, float]:
    """In how many cells of Table 7 the cut network beats one trained from scratch; its worst cell."""
    table = paper_sizes()
    ours, scratch = (
        table.xs(name, level="model") for name in ("RoBERTa + LayerDrop, pruned", "RoBERTa (scratch)")
    )
    gains = ours - scratch
    return {"better": int((gains > 0).to_numpy().sum()), "cells": gains.size, "worst": gains.min().min()}


def paper_claims() -> dict[str, float]:
    """Points on MNLI-m by which the paper finds LayerDrop ahead.

    Uncut (and with more data), and cut to 6 layers: against a network small from the start, and DistilBERT.
    """
    books, more = (_mnli("Table 4", f"24 layers, {name}") for name in ("Books", "more"))
    small = _mnli("Table 7", "6 layers")
    pruned = small["RoBERTa + LayerDrop, pruned"]
    return {
        "uncut": books["RoBERTa large + LayerDrop"] - books["RoBERTa large"],
        "more": more["RoBERTa large + LayerDrop"] - more["RoBERTa large"],
        "small": pruned - small["RoBERTa (scratch)"],
        "student": pruned - small["DistilBERT (Sanh 2019)"],
    }


def _mnli(table: str, setting: str) -> dict[str, float]:
    rows = published(paper="LayerDrop", table=table, dataset="MNLI-m", setting=setting)
    return {row["model"]: float(row["value"]) for row in rows}


def claims_table(paper: Mapping[str, float], here: Mapping[str, Difference]) -> pd.DataFrame:
    """The paper's differences beside ours, which have their intervals."""
    rows = {
        t(f"claim.{name}"): [f"{paper[name]:+.1f}", points(gain) + (TICK if gain.clear else "")]
        for name, gain in here.items()
    }
    return pd.DataFrame(rows, [t("claim.paper"), t("claim.here")]).T


def speedups_table(rows: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Speed-ups that a paper reports, one column a data set."""
    return pd.DataFrame(
        {row["dataset"]: [f"{float(row['speedup']):.2f}×"] for row in rows}, [rows[0]["model"]]
    )


def static_networks_table() -> pd.DataFrame:
    """TinyBERT's comparison of networks of 4 layers: average score on GLUE's test sets, measured speed-up."""
    rows = published(paper="TinyBERT", dataset="GLUE test average")
    cells = {row["model"]: [row["value"], f"{float(row['speedup']):.1f}×"] for row in rows}
    return pd.DataFrame(cells, [t("published.score"), t("bench.speedup")]).T
