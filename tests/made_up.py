"""Traces and tables with answers made up from random numbers, for figures, widgets and checks."""

import numpy as np
import pandas as pd

from course_lib import ExitTrace, FastBertConfig, WindowTrace
from course_lib.measures.bench_depth import DepthBench
from course_lib.measures.cuts import STRATEGIES
from course_lib.models.pruning import every_other


def made_up_trace(layers=6, sentences=200, classes=2, seed=0) -> ExitTrace:
    """Exits that get better with depth, and sentences that differ in difficulty."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, sentences)
    evidence = random.normal(0.5, 1.0, sentences) + np.cumsum(random.normal(0.4, 0.6, (layers, sentences)), 0)
    logits = random.normal(0, 0.3, (layers, sentences, classes))
    logits[:, np.arange(sentences), labels] += 2 * evidence
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = (exponentials / exponentials.sum(-1, keepdims=True)).astype(np.float32)
    config = FastBertConfig(
        num_hidden_layers=layers,
        num_labels=classes,
        hidden_size=64,
        intermediate_size=128,
        exit_hidden_size=16,
    )
    return ExitTrace(probabilities, labels, random.integers(8, 60, sentences), config)


def made_up_windows(documents=40) -> WindowTrace:
    """The texts of `made_up_trace` as windows, five of each document."""
    trace = made_up_trace(sentences=5 * documents)
    document = np.repeat(np.arange(documents), 5)
    return WindowTrace(trace.probabilities, trace.labels[::5], trace.lengths, document, trace.config)


def made_up_cuts(layers=12, keeps=(9, 6, 3, 2), seeds=(1, 2, 3)) -> pd.DataFrame:
    """A table as `cuts.cut_table` gives it: the more dropped, the better borne."""
    random = np.random.default_rng(0)
    rows = []
    for study, rate, loss in (("plain", 0.0, 0.03), ("layerdrop", 0.2, 0.01), ("half", 0.5, 0.005)):
        for seed in seeds:
            whole = {"layers": list(range(1, layers + 1)), "accuracy": 0.86 + random.normal(0, 0.003)}
            cut = {
                keep: whole["accuracy"] - loss * (layers - keep) + random.normal(0, 0.003) for keep in keeps
            }
            found = [("whole", layers, whole)]
            for way in STRATEGIES:
                found.append((way, layers, whole))
                found += [
                    (way, keep, {"layers": _kept(way, layers, keep, seed), "accuracy": cut[keep]})
                    for keep in keeps
                ]
            found += [("tuned", keep, {"layers": None, "accuracy": cut[keep] + 0.01}) for keep in keeps]
            rows += [
                {"study": study, "rate": rate, "seed": seed, "way": way, "keep": keep, **each}
                | {"parameters": 10**6 * (1 + keep)}
                for way, keep, each in found
            ]
    return pd.DataFrame(rows)


def _kept(way: str, layers: int, keep: int, seed: int) -> list[int]:
    if way == "every_other":
        return every_other(layers, keep)
    first = 1 if way == "first" else 1 + (seed - 1) % (layers - keep + 1)  # others differ from seed to seed
    return list(range(first, first + keep))


def made_up_costs(keeps=(12, 9, 6, 3, 2)) -> list[DepthBench]:
    """Costs as `bench_depth` gives them."""
    most = max(keeps)
    return [
        DepthBench(
            keep=keep,
            parameters=10**6 * (1 + keep),
            flops=1e6 * keep,
            milliseconds=0.1 * keep,
            speedup=0.9 * most / keep,
            spread=(0.8 * most / keep, most / keep),
            promised=most / keep,
            rounds=5,
        )
        for keep in keeps
    ]
