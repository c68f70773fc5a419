"""What the papers report, as small tables: every cell is a row of data/published_results.csv."""

import numpy as np
import pandas as pd

from course_lib.measures.published import fastbert_savings, published
from course_lib.words import t

SETTINGS = (  # of the FastBERT paper's Table 2
    ("BERT-base", "12 layers"),
    ("DistilBERT", "6 layers"),
    ("DistilBERT", "3 layers"),
    ("FastBERT", "speed=0.1"),
    ("FastBERT", "speed=0.5"),
    ("FastBERT", "speed=0.8"),
)
RISKS = ("0.02", "0.05")
CALM_TASKS = ("CNN/DM", "WMT15 EN-FR", "SQuAD (open-book)")


def fastbert_means() -> pd.DataFrame:
    """Each network of FastBERT's Table 2: mean accuracy over its data sets, geometric mean of the savings."""
    rows = {}
    for model, setting in SETTINGS:
        found = published(
            paper="FastBERT (Liu", table="Table 2", model=model, setting=setting, metric="accuracy"
        )
        accuracy = np.mean([float(row["value"]) for row in found])
        saving = np.exp(np.mean(np.log([float(row["speedup"]) for row in found])))
        depth = t("papers.by_sentence" if model == "FastBERT" else "papers.fixed")
        rows[f"{model}, {setting_word(setting)}"] = [f"{accuracy:.1f}", f"{saving:.1f}×", depth]
    names = [t("papers.mean_accuracy"), t("papers.saving"), t("papers.depth")]
    return pd.DataFrame(rows, names).T.rename_axis(t("papers.network"))


def fastbert_tasks(number: int = 6) -> pd.DataFrame:
    """FastBERT's Table 2 at speed 0.5: the data sets that save least and those that save most."""
    savings = sorted(fastbert_savings(0.5), key=lambda each: each.flops_speedup)
    chosen = [*savings[: number // 2], *savings[-(number // 2) :]]
    rows = {
        each.dataset: [
            f"{each.teacher:.2f}",
            f"{each.accuracy:.2f}",
            f"{each.accuracy - each.teacher:+.2f}",
            f"{each.flops_speedup:.2f}×",
        ]
        for each in chosen
    }
    names = ["BERT", "FastBERT 0.5", t("papers.points"), t("papers.saving")]
    return pd.DataFrame(rows, names).T.rename_axis(t("papers.dataset"))


def fastbert_ablation() -> pd.DataFrame:
    """FastBERT's Table 3: with self-distillation and without, on its two data sets."""
    models = {"FastBERT": "with", "FastBERT w/o self-distillation": "without"}
    rows = {}
    for speed in ("speed=0.2", "speed=0.7"):
        for model, word in models.items():
            cells = []
            for dataset in ("Book review", "Yelp.P"):
                found = [
                    row
                    for row in published(
                        paper="FastBERT (Liu",
                        table="Table 3",
                        dataset=dataset,
                        setting=speed,
                        metric="accuracy",
                    )
                    if row["model"] == model
                ][0]
                cells += [found["value"], f"{float(found['speedup']):.2f}×"]
            rows[f"{t(f'papers.{word}')}, {setting_word(speed)}"] = cells
    names = ["Book review", t("papers.saving"), "Yelp.P", t("papers.saving") + " "]
    return pd.DataFrame(rows, names).T.rename_axis("")


def calm_table() -> pd.DataFrame:
    """CALM's Table 2, softmax confidence: layers a token and estimated speed-up, by the risk allowed."""
    rows = {}
    for task in CALM_TASKS:
        cells = []
        for risk in RISKS:
            found = published(
                paper="CALM",
                model="T5 8-layer, softmax",
                dataset=task,
                setting=f"risk consistency delta={risk}",
            )[0]
            cells += [found["value"], f"{float(found['speedup']):.2f}×"]
        rows[task] = cells
    names = [
        name for risk in RISKS for name in (t("papers.layers", risk=risk), t("papers.estimated", risk=risk))
    ]
    return pd.DataFrame(rows, names).T.rename_axis(t("papers.task"))


def layerdrop_sizes(layers: str = "6") -> pd.DataFrame:
    """LayerDrop's Table 7 at one depth: the cut network beside those of the same size."""
    rows = pd.DataFrame(published(paper="LayerDrop", table="Table 7", setting=f"{layers} layers"))
    table = rows.pivot_table(index="model", columns="dataset", values="value", aggfunc="first", sort=False)
    table.index = [name.replace(" (Sanh 2019)", "").replace(", pruned", "") for name in table.index]
    return (
        table.rename(columns=lambda name: name.removesuffix(" dev"))
        .fillna("–")
        .rename_axis(t("papers.network"))
        .rename_axis(columns=None)
    )


def generation_table() -> pd.DataFrame:
    """What LayerDrop's paper reports on text generation: without it, with it, and deeper with it."""
    wanted = {
        t("papers.bleu"): (
            {"table": "Table 1"},
            ["Transformer (Ott 2018)", "Transformer (Ott 2018) + LayerDrop"],
        ),
        t("papers.perplexity"): ({"table": "Table 2"}, ["Adaptive Inputs", "Adaptive Inputs + LayerDrop"]),
        t("papers.rouge"): (
            {"table": "Table 3", "dataset": "CNN", "metric": "ROUGE-L"},
            ["Transformer (Edunov 2019)", "Transformer + LayerDrop"],
        ),
    }
    rows = {}
    for name, (conditions, models) in wanted.items():
        found = published(paper="LayerDrop", **conditions)
        values = [[row["value"] for row in found if row["model"] == model] for model in models]
        rows[name] = [values[0][0], values[1][0], values[1][1]]
    names = [t("papers.plain"), t("papers.dropped"), t("papers.deeper")]
    return pd.DataFrame(rows, names).T.rename_axis(t("papers.task"))


def setting_word(setting: str) -> str:
    """ "speed=0.5" or "6 layers" in the language in use."""
    if setting.startswith("speed="):
        return t("papers.speed", speed=setting.removeprefix("speed="))
    return t("papers.of_layers", layers=setting.split()[0])
