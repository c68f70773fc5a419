"""The real BERT cut to fewer layers: by which rule, with LayerDrop or without, trained after the cut or not.

Every network answered the same test texts, so that two of them are compared text by text. "Ended early" is
the simple rival: the first layers stay, and training goes on.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.measures.answers import contender, load_answers, load_right
from course_lib.measures.comparison import Contender, difference, static
from course_lib.measures.report import seed_records
from course_lib.paths import ANSWERS, RUNS
from course_lib.tables.rivals import contender_word, interval
from course_lib.words import t

STUDIES = ("plain", "layerdrop", "half")  # of data/recipes/pruning-e5-*.toml
SIMPLE = ("plain", "first")  # ended early, without LayerDrop


def _record(study: str, runs: Path) -> dict:
    return seed_records(f"pruning-e5-{study}", runs)[0]


def _rate(study: str, runs: Path) -> float:
    return _record(study, runs)["recipe"].get("layer_drop", {"rate": 0.0})["rate"]


def real_cut_table(runs: Path = RUNS) -> pd.DataFrame:
    """Accuracy by drop rate and rule [rows], and by layers kept, not and then trained after [columns]."""
    rows = {}
    for study in STUDIES:
        record = _record(study, runs)
        metrics, healed = record["metrics"], record["recipe"]["healed"]
        for strategy, cuts in metrics["cut"].items():
            row = {t("real_cuts.layers", keep=metrics["layers"]): metrics["accuracy"]}
            row |= {t("real_cuts.layers", keep=keep): cut["accuracy"] for keep, cut in cuts.items()}
            after = metrics["cut_then_healed"][strategy]
            row |= {t("real_cuts.trained", keep=keep): after[str(keep)] for keep in healed}
            rows[t("real_cuts.rate", rate=_rate(study, runs)), t(f"depth.{strategy}")] = row
    table = pd.DataFrame(rows).T
    table.index.names = [t("real_cuts.fine_tuned"), t("real_cuts.rule")]
    return table.map("{:.1%}".format)


def healed_networks(
    keep: int, runs: Path = RUNS, answers: Path = ANSWERS
) -> dict[tuple[str, str], Contender]:
    """(study, rule) -> the network that was cut to `keep` layers and trained after that, on test texts."""
    networks = {}
    for study in STUDIES:
        right = load_right(f"pruning-e5-{study}", 1, answers)
        for strategy in _record(study, runs)["metrics"]["cut_then_healed"]:
            name = f"{t(f'depth.{strategy}')}, {t('real_cuts.rate', rate=_rate(study, runs))}"
            networks[study, strategy] = static(name, right[f"healed.{strategy}.{keep}"], np.nan, keep)
    return networks


def against_ending_early(keep: int, runs: Path = RUNS, answers: Path = ANSWERS) -> pd.DataFrame:
    """Who is ahead of "the first `keep` layers, trained on", by how many points (95 % interval over texts).

    The best rule of each drop rate (best on these texts, which flatters it), and the distilled student of as
    many layers.
    """
    networks = healed_networks(keep, runs, answers)
    simple = networks[SIMPLE]
    rivals = [
        max(
            (each for (study, _), each in networks.items() if study == chosen and each is not simple),
            key=lambda each: each.accuracy,
        )
        for chosen in STUDIES
    ]
    student = contender(f"student-{keep}", load_answers(f"reviews-e5-student-{keep}", "test", answers))
    rows = {
        contender_word(each.name): {
            t("rivals.accuracy"): f"{each.accuracy:.1%}",
            t("real_cuts.ahead"): "" if each is simple else interval(difference(each, simple)),
        }
        for each in [simple, *rivals, student]
    }
    return pd.DataFrame(rows).T.rename_axis(t("real_cuts.network", keep=keep))


def clear_winners(keep: int, runs: Path = RUNS, answers: Path = ANSWERS) -> list[str]:
    """The cut networks, trained on, that are clearly ahead of ending early at the same depth."""
    networks = healed_networks(keep, runs, answers)
    simple = networks[SIMPLE]
    return [each.name for each in networks.values() if difference(each, simple).low > 0]


def best_rate(keep: int, runs: Path = RUNS) -> float:
    """The drop rate whose network, cut to `keep` layers by its best rule and not trained after, is best."""
    return _rate(max(STUDIES, key=lambda study: _best_cut(study, keep, runs)[1]), runs)


def _best_cut(study: str, keep: int, runs: Path) -> tuple[str, float]:
    """-> the rule, the accuracy."""
    cuts = _record(study, runs)["metrics"]["cut"]
    return max(((rule, cut[str(keep)]["accuracy"]) for rule, cut in cuts.items()), key=lambda pair: pair[1])


def cut_verdict(keep: int, runs: Path = RUNS) -> dict[str, str]:
    """What a sentence says of the cuts to `keep` layers, not trained after: the best of each rate."""
    parts = []
    for study in STUDIES:
        rule, accuracy = _best_cut(study, keep, runs)
        words = {"rate": _rate(study, runs), "rule": t(f"depth.{rule}"), "accuracy": accuracy}
        parts.append(t("real_cuts.best_cut", **words))
    return {"keep": str(keep), "parts": t("list.semicolon").join(parts)}


def winners(keep: int, runs: Path = RUNS, answers: Path = ANSWERS) -> str:
    """`clear_winners` as a list in words."""
    return t("list.semicolon").join(clear_winners(keep, runs, answers)) or t("rivals.nobody")
