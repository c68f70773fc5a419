"""The tables of lesson 01: three prices, four families of lightweight networks, and FastBERT's neighbours."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from course_lib.measures.prices import Prices
from course_lib.measures.published import published
from course_lib.words import t

MISSING = "–"  # not reported, or not measured
LAYERDROP_README = {"paper": "fairseq LayerDrop", "metric": "parameters"}


def weights_table(networks: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    """One row a network: its weights part by part, in thousands, and their sum in millions."""
    rows = {
        name: [f"{parts[part] / 1e3:,.0f}" for part in parts] + [f"{sum(parts.values()) / 1e6:.2f}"]
        for name, parts in networks.items()
    }
    first = next(iter(networks.values()))
    columns = [t("part.thousands", part=t(f"part.{part}")) for part in first] + [t("part.millions")]
    return pd.DataFrame(rows, columns).T


def prices_table(found: Mapping[str, Prices], accuracies: Mapping[str, float]) -> pd.DataFrame:
    """One row a way of answering: weights, FLOPs, milliseconds, layers, and the share that is right."""
    rows = {
        t(f"lightweight.name_{name}"): {
            t("price.weights_m"): f"{each.weights / 1e6:.2f}",
            t("price.layers"): f"{each.layers:.1f}",
            t("price.mflops"): f"{each.flops / 1e6:.1f}",
            t("price.ms"): f"{each.milliseconds:.2f}",
            t("price.quicker"): f"{each.quicker:.2f}×",
            t("axis.accuracy"): f"{accuracies[name]:.1%}",
        }
        for name, each in found.items()
    }
    return pd.DataFrame(rows).T


def families_table(found: Mapping[str, Prices], stored: float) -> pd.DataFrame:
    """Four families: how many times fewer weights and FLOPs, and how many times quicker; with its source.

    Args:
        found: what `three_prices` measured.
        stored: how many times smaller the 4-bit file of e5-small-cut is than the same weights in float32.
    """
    distil, tiny = _distilbert(), _tinybert()
    whole, pruned = (float(row["value"]) for row in published(**LAYERDROP_README))
    fastbert = published(paper="FastBERT (", table="Table 2", dataset="Book review", setting="speed=0.5")[0]
    dee = published(paper="DeeBERT", dataset="SST-2", model="DeeBERT BERT-base", setting="threshold row 2")[0]
    patience = published(paper="PABEE", model="ALBERT-base + PABEE")[0]
    rows = [
        ("quantise", "e5-small-cut", t("family.file", times=stored), "1.0×", MISSING, ""),
        (
            "distil",
            "DistilBERT",
            _times(distil["weights"]),
            MISSING,
            _times(distil["quicker"]),
            "DistilBERT, T3",
        ),
        ("distil", "TinyBERT", _times(tiny["weights"]), MISSING, _times(tiny["quicker"]), "TinyBERT, T2–3"),
        ("prune", "LayerDrop, 16 → 8", _times(whole / pruned), MISSING, MISSING, "fairseq README"),
        ("prune", t("lightweight.name_cut"), *_measured(found["cut"]), ""),
        ("exit", "FastBERT", MISSING, _times(float(fastbert["speedup"])), MISSING, "FastBERT, T2"),
        ("exit", "DeeBERT", MISSING, MISSING, _times(1 / (1 - float(dee["speedup"]) / 100)), "DeeBERT, T1"),
        ("exit", "PABEE", MISSING, MISSING, _times(float(patience["speedup"])), "PABEE README"),
        ("exit", t("lightweight.name_exits"), *_measured(found["exits"]), ""),
    ]
    names = ("family", "example", "weights", "flops", "clock", "source")
    table = pd.DataFrame(rows, columns=[t(f"family.{name}") for name in names])
    family, source = table.columns[0], table.columns[-1]
    table[family] = [t(f"family.{name}") for name in table[family]]
    table[source] = [
        t("family.published", source=each) if each else t("family.here") for each in table[source]
    ]
    return table.set_index(family)


def neighbours() -> pd.DataFrame:
    """FastBERT's Table 2 over its twelve data sets: model and setting by mean accuracy (per cent) and the
    geometric mean of the ratio of counted FLOPs."""
    rows = pd.DataFrame(published(paper="FastBERT (", table="Table 2", metric="accuracy"))
    rows["accuracy"], rows["ratio"] = rows["value"].astype(float), rows["speedup"].astype(float)
    rows["setting"] = rows["setting"].replace("1 layers", "1 layer")
    groups = rows.groupby(["model", "setting"], sort=False)
    ratios = groups["ratio"].agg(lambda ratio: float(np.exp(np.log(ratio).mean())))
    spans = groups["ratio"].agg(["min", "max"])
    return pd.DataFrame({"accuracy": groups["accuracy"].mean(), "ratio": ratios, **spans})


def neighbours_table() -> pd.DataFrame:
    """`neighbours` in words: published by FastBERT's authors, FLOPs counted and not timed."""
    found = neighbours()
    rows = {
        t("neighbour.name", model=model, setting=setting): {
            t("neighbour.accuracy"): f"{row['accuracy']:.1f}",
            t("neighbour.ratio"): f"{row['ratio']:.2f}×",
            t("neighbour.span"): f"{row['min']:.2f}× – {row['max']:.2f}×",
        }
        for (model, setting), row in found.iterrows()
    }
    return pd.DataFrame(rows).T


def _measured(each: Prices) -> tuple[str, str, str]:
    return _times(each.fewer_weights), _times(each.fewer_flops), _times(each.quicker)


def _times(ratio: float) -> str:
    return f"{ratio:.2g}×" if ratio >= 9.95 else f"{ratio:.2f}×"


def _distilbert() -> dict[str, float]:
    """Against BERT-base, from the paper's Table 3 (a processor, one sentence at a time)."""
    bert, small = published(paper="DistilBERT", table="Table 3")
    return {
        "weights": _millions(bert["setting"]) / _millions(small["setting"]),
        "quicker": float(bert["value"]) / float(small["value"]),
    }


def _tinybert() -> dict[str, float]:
    """Against BERT-base, from the paper's Tables 2 and 3."""
    teacher, tiny = published(paper="TinyBERT", table="Tables 2-3")[:2]
    return {
        "weights": _millions(teacher["setting"]) / _millions(tiny["setting"]),
        "quicker": float(tiny["speedup"]),
    }


def _millions(setting: str) -> float:
    """ "4 layers, 14.5M params, 19.9s" -> 14.5."""
    return float(re.search(r"([\d.]+)M params", setting)[1])
