"""The values that a deck's placeholders may name, each computed from records, traces or published results.

`{{reviews.first:.1%}}` names a function here; `{{paper.half:.2f}}` one row of data/published_results.csv that
the deck names under [published], its value, and `{{paper.half.speedup}}` its speed-up.
"""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from transformers import BertConfig

from course_lib.measures.comparison import Difference, difference
from course_lib.measures.cost import layer_flops
from course_lib.measures.cuts import compare_cuts, cut_table, practised
from course_lib.measures.published import fastbert_savings, published
from course_lib.measures.report import summary
from course_lib.measures.trace import ExitTrace, load_traces
from course_lib.tables.cuts import better_than_scratch, paper_claims
from course_lib.tables.rivals import interval, rivals

Value = str | float | int


def fact(name: str, rows: dict[str, dict[str, str]]) -> Value:
    """The value of a placeholder; `rows` are the deck's own rows of published results.

    Raises:
        ValueError: an unknown name, or a [published] entry that fits no row or several.
    """
    if name.startswith("paper."):
        _, row, *column = name.split(".")
        return _published(row, rows, column[0] if column else "value")
    if name not in FACTS:
        raise ValueError(f"unknown value {name!r}; known: {', '.join(sorted(FACTS))}, paper.<row>")
    return FACTS[name]()


def _published(row: str, rows: dict[str, dict[str, str]], column: str) -> float:
    if row not in rows:
        raise ValueError(f"[published] has no {row!r}; it has {', '.join(rows) or 'nothing'}")
    found = published(**rows[row])
    for name, text in rows[row].items():  # rows that have exactly this text go before those that begin so
        found = [each for each in found if each[name] == text] or found
    if len(found) != 1:
        raise ValueError(f"[published] {row} fits {len(found)} rows; give more conditions")
    return float(found[0][column])


@cache
def _trace(recipe: str) -> ExitTrace:
    return load_traces(recipe, "test")[0]


@cache
def _early(recipe: str, saving: float):
    early, others, whole = rivals(recipe, saving)
    return early, {each.name: each for each in others}, whole


@cache
def _ahead(recipe: str, saving: float, rival: str) -> Difference:
    early, others, _ = _early(recipe, saving)
    return difference(early, others[rival])


def _exit(recipe: str, number: int) -> float:
    """The accuracy of one exit (-1: the last) if all sentences left there."""
    return float(_trace(recipe).accuracy_by_layer[number])


def _gain_of_depth(recipe: str) -> float:
    return 100 * (_exit(recipe, -1) - _exit(recipe, 0))


def _savings(speed: float) -> list[float]:
    return [each.flops_speedup for each in fastbert_savings(speed)]


def _attention_share(tokens: int) -> float:
    """The part of a BERT-base layer's FLOPs that attention's two products take; the paper counts them not."""
    config = BertConfig()
    return 4 * tokens**2 * config.hidden_size / float(np.asarray(layer_flops(config, tokens)))


def _cut_gain(keep: int) -> Difference:
    return compare_cuts(cut_table("plain", "layerdrop"), keep, "layerdrop", "plain", "every_other")


FACTS: dict[str, Callable[[], Value]] = {
    "reviews.first": partial(_exit, "reviews-e5", 0),
    "reviews.last": partial(_exit, "reviews-e5", -1),
    "reviews.depth": partial(_gain_of_depth, "reviews-e5"),
    "reviews.zero": lambda: _trace("reviews-e5").at(0.0).flops_speedup,
    "reviews.sentences": lambda: len(_trace("reviews-e5").labels),
    "laws.classes": lambda: _trace("laws-e5").probabilities.shape[-1],
    "reviews.lead": lambda: interval(_ahead("reviews-e5", 4, "fixed_depth")),
    "reviews.loss": lambda: interval(_ahead("reviews-e5", 4, "whole_network")),
    "reviews.over_tfidf": lambda: interval(_ahead("reviews-e5", 4, "tfidf")),
    "savings.tenth.few": lambda: sum(each < 2 for each in _savings(0.1)),
    "savings.sets": lambda: len(_savings(0.1)),
    "savings.half.least": lambda: min(_savings(0.5)),
    "savings.half.most": lambda: max(_savings(0.5)),
    "attention.128": partial(_attention_share, 128),
    "attention.512": partial(_attention_share, 512),
    "kl.ours": lambda: summary("worlds-fastbert")["at_budget"]["0.002"]["mean_layer"][0],
    "kl.paper": lambda: summary("worlds-paper-kl")["at_budget"]["0.002"]["mean_layer"][0],
    "practised.low": partial(practised, 0.2, 12, 6),
    "practised.high": partial(practised, 0.5, 12, 6),
    "cut.six": lambda: interval(_cut_gain(6)),
    "cut.three": lambda: interval(_cut_gain(3)),
    "sizes.better": lambda: better_than_scratch()["better"],
    "sizes.cells": lambda: better_than_scratch()["cells"],
    "sizes.worst": lambda: better_than_scratch()["worst"],
    "claims.small": lambda: paper_claims()["small"],
    "claims.student": lambda: paper_claims()["student"],
}
