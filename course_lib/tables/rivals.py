"""Early exit beside its rivals: the same texts, at equal cost, each difference with its interval."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import DatasetDict

from course_lib.measures.answers import contender, load_answers
from course_lib.measures.bench_rivals import RivalTimes
from course_lib.measures.comparison import (
    Contender,
    Difference,
    difference,
    early_exit,
    fixed_depth,
    fixed_depth_on_the_clock,
    patience,
    random_exit,
    speeds_for,
    whole_network,
)
from course_lib.measures.records import read_record
from course_lib.measures.trace import ExitTrace, load_traces
from course_lib.paths import ANSWERS, RUNS, TRACES
from course_lib.texts.shape import class_names
from course_lib.words import catalogue, t

MEASURES_OF_DOUBT = ("entropy", "max_probability", "top_k_entropy")


def rivals(
    model: str,
    speedup: float,
    traces: Path = TRACES,
    answers: Path = ANSWERS,
    measure: str = "entropy",
) -> tuple[Contender, list[Contender], Contender]:
    """A FastBERT that saves `speedup` times the FLOPs, and everybody else.

    Args:
        model: a recipe whose traces are there ("reviews-e5"). Students ("reviews-e5-student-6") and TF-IDF
            ("reviews-tfidf") take part if their answers are there.
        speedup: speeds are chosen for it on the validation split, seed by seed.

    Returns:
        Early exit; its rivals, fixed depth first; and the whole network (one of the rivals, too).
    """
    validations, tests = (load_traces(model, split, traces) for split in ("validation", "test"))
    speeds = speeds_for(validations, speedup, measure)
    early, whole = early_exit(tests, speeds, measure), whole_network(tests)
    others = [
        fixed_depth(tests, early.cost),
        patience(tests, early.cost),
        random_exit(tests, early, speeds, measure),
        whole,
    ]
    for name in _static(model, answers):
        others.append(contender(kind_of(name), load_answers(name, "test", answers)))
    return early, others, whole


def _static(model: str, answers: Path) -> list[str]:
    """The recipes of models without exits on the same task whose answers are there."""
    task = model.split("-")[0]
    wanted = (f"{model}-student-6", f"{model}-student-3", f"{task}-tfidf")
    return [name for name in wanted if any(answers.glob(f"{name}-*test.safetensors"))]


def kind_of(recipe: str) -> str:
    """The word for a recipe: "laws-e5-student-6" -> "student-6", "news-tfidf" -> "tfidf"."""
    parts = recipe.split("-")
    return "-".join(parts[-2:]) if "student" in parts else parts[-1]


def in_words(early: Contender, others: Sequence[Contender], whole: Contender) -> pd.DataFrame:
    """What `rivals` found, one row a contender: accuracy, layers, FLOPs against the whole network, and how
    far early exit is ahead (points, with the 95 % interval)."""
    rows = [_row(early, whole, "")]
    rows += [_row(each, whole, interval(difference(early, each))) for each in others]
    return pd.DataFrame(rows).set_index(t("rivals.contender"))


def interval(found: Difference, unit: float = 100) -> str:
    """ "+1.6 (+0.4 to +2.8)", in points."""
    mean, low, high = (unit * value for value in (found.mean, found.low, found.high))
    return t("rivals.interval", mean=mean, low=low, high=high)


def verdict(early: Contender, others: Sequence[Contender], whole: Contender) -> dict[str, str]:
    """What a sentence says of `rivals`: the lead over fixed depth, the loss, whom early exit clearly beats,
    and who clearly beats it."""
    found = {each.name: difference(early, each) for each in others}
    beaten = [contender_word(name) for name, each in found.items() if each.low > 0]
    better = [contender_word(name) for name, each in found.items() if each.high < 0]
    return {
        "saving": f"{np.mean(whole.cost) / np.mean(early.cost):.1f}",
        "lead": interval(found["fixed_depth"]),
        "loss": interval(found["whole_network"]),
        "beaten": t("list.semicolon").join(beaten) or t("rivals.nobody"),
        "better": t("list.semicolon").join(better) or t("rivals.nobody"),
        "seeds": str(len(early.right)),
    }


def by_saving(tasks: Iterable[str], savings: Sequence[float], traces: Path = TRACES) -> pd.DataFrame:
    """How far early exit is ahead of fixed depth, task by task, for several savings of FLOPs."""
    rows = {}
    for task in tasks:
        found = (rivals(f"{task}-e5", saving, traces) for saving in savings)
        rows[t(f"task.{task}")] = [interval(difference(early, others[0])) for early, others, _ in found]
    return pd.DataFrame(rows, index=[f"{saving:g}x" for saving in savings]).T


def depth_worth(traces: Mapping[str, Sequence[ExitTrace]]) -> dict[str, float]:
    """By how many points the last exit is ahead of the first, for each task, mean over the seeds."""
    by_exit = {task: [trace.accuracy_by_layer for trace in found] for task, found in traces.items()}
    return {
        task: 100 * float(np.mean([each[-1] - each[0] for each in found])) for task, found in by_exit.items()
    }


def corpus_table(corpora: Mapping[str, DatasetDict], counted: Mapping[str, float]) -> pd.DataFrame:
    """The corpora: texts of each split, classes, and what TF-IDF reaches on the test split (`counted`)."""
    rows = {
        t(f"task.{name}"): {
            t("corpus.classes"): len(class_names(corpus)),
            **{t(f"corpus.{split}"): len(rows) for split, rows in corpus.items()},
            t("contender.tfidf"): f"{counted[name]:.1%}",
        }
        for name, corpus in corpora.items()
    }
    return pd.DataFrame(rows).T


def measures_table(model: str, speedup: float, traces: Path = TRACES) -> pd.DataFrame:
    """Every measure of uncertainty at the same saving: accuracy, layers, and its lead over fixed depth."""
    rows = []
    for measure in MEASURES_OF_DOUBT:
        early, others, whole = rivals(model, speedup, traces, measure=measure)
        row = _row(early, whole, interval(difference(early, others[0])))
        rows.append({**row, t("rivals.contender"): t(f"choice.{measure}")})
    return (
        pd.DataFrame(rows)
        .set_index(t("rivals.contender"))
        .rename(columns={t("rivals.ahead"): t("rivals.over_fixed")})
    )


def at_equal_time(
    model: str, savings: Sequence[float], times: RivalTimes, traces: Path = TRACES
) -> pd.DataFrame:
    """Early exit against fixed depth where both take equally long on the clock (one seed: the one timed).

    Returns:
        One row a saving: FLOPs and time against the whole network, accuracy, the layers that fixed depth
        affords in that time, and how far early exit is ahead (points, with the 95 % interval over texts).
    """
    tests = load_traces(model, "test", traces)[:1]
    whole, of_depths = whole_network(tests), times.of_depths(len(tests[0].probabilities))
    rows = {}
    for saving, speed, milliseconds in zip(savings, times.speeds, times.early, strict=True):
        early = early_exit(tests, [speed])
        rival = fixed_depth_on_the_clock(tests, of_depths, [milliseconds])
        rows[f"{saving:g}x"] = {
            t("rivals.flops_speedup"): f"{whole.cost[0] / early.cost[0]:.2f}x",
            t("rivals.quicker"): f"{of_depths[-1] / milliseconds:.2f}x",
            t("rivals.accuracy"): f"{early.accuracy:.1%}",
            t("rivals.affords"): f"{rival.layers[0]:.1f}",
            t("rivals.over_fixed_time"): interval(difference(early, rival)),
        }
    return pd.DataFrame(rows).T


def recorded_times(model: str, runs: Path = RUNS) -> tuple[list[float], RivalTimes]:
    """What `course bench rivals MODEL --record` left: the savings of FLOPs asked for, and the times."""
    record = read_record(f"bench-{model}", runs)
    return record["savings"], RivalTimes(**record["times"])


def change_of_lead(model: str, saving: float, traces: Path = TRACES, runs: Path = RUNS) -> str:
    """Is early exit further ahead of fixed depth at equal time than at equal FLOPs? "larger" or "smaller".

    Both leads are those of the seed that was timed.
    """
    savings, times = recorded_times(model, runs)
    tests = load_traces(model, "test", traces)[:1]
    place = savings.index(saving)
    early = early_exit(tests, [times.speeds[place]])
    of_depths = times.of_depths(len(tests[0].probabilities))
    on_the_clock = fixed_depth_on_the_clock(tests, of_depths, [times.early[place]])
    counted = fixed_depth(tests, early.cost)
    return "larger" if on_the_clock.accuracy < counted.accuracy else "smaller"


def how_timed(times: RivalTimes) -> dict[str, object]:
    """What a sentence says of the measurement."""
    return {
        "batch": times.batch_size,
        "threads": times.threads,
        "texts": times.texts,
        "rounds": times.rounds,
        "spread": times.spread,
    }


def best_measure(model: str, speedup: float, traces: Path = TRACES) -> str:
    """The measure whose answers are right most often at this saving."""
    found = {each: rivals(model, speedup, traces, measure=each)[0].accuracy for each in MEASURES_OF_DOUBT}
    return max(found, key=found.get)


def measure_verdict(model: str, speedup: float, traces: Path = TRACES) -> dict[str, str]:
    """What a sentence says of the best measure beside normalised entropy, seed by seed on the same texts."""
    best = best_measure(model, speedup, traces)
    ours, plain = (rivals(model, speedup, traces, measure=each)[0] for each in (best, "entropy"))
    found = difference(ours, plain)
    return {
        "best": t(f"choice.{best}"),
        "gain": interval(found),
        "clear": t("rivals.clear" if found.clear else "rivals.not_clear"),
    }


def _row(each: Contender, whole: Contender, ahead: str) -> dict:
    layers, saved = np.mean(each.layers), np.mean(whole.cost) / np.mean(each.cost)
    return {
        t("rivals.contender"): contender_word(each.name),
        t("rivals.accuracy"): f"{each.accuracy:.1%}",
        t("rivals.layers"): "" if np.isnan(layers) else f"{layers:.1f}",
        t("rivals.flops_speedup"): f"{float(f'{saved:.3g}'):,.10g}x",  # 2.45x, 7,160,000x
        t("rivals.ahead"): ahead,
    }


def contender_word(name: str) -> str:
    """A contender's name in the language in use; one that the catalogue does not know is called as it is."""
    return t(f"contender.{name}") if f"contender.{name}" in catalogue() else name
