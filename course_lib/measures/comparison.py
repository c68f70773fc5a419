"""The course's one way to compare: the same texts, equal cost, and an interval around the difference.

A contender is asked the same texts as its rival, and both may spend the same: in counted FLOPs, or in
milliseconds of one machine. Where a rival knows only a few costs (a network that ends after layer k), it may
mix two of them, so that its mean cost is exactly the contender's: each text goes to the cheaper with some
probability, to the dearer otherwise. `difference` draws texts and seeds again, with replacement (a paired
bootstrap), and gives the interval in which 95 % of the differences lie.

Shapes: S seeds, N texts, L layers, D draws, K rivals of different cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as t_distribution

from course_lib.measures.cost import exit_flops, layer_flops
from course_lib.measures.report import speed_for
from course_lib.measures.trace import ExitTrace


@dataclass(frozen=True)
class Contender:
    """One way to answer, over the seeds.

    Fields:
        name: a word of the catalogue (contender.NAME), or a name as it is.
        right: [S, N], 1 where the answer is right; between 0 and 1 for a mixture, its chance to be right.
        cost: [S], what a text costs on average (FLOPs, or milliseconds).
        layers: [S], layers a text on average; NaN where there are none.
    """

    name: str
    right: np.ndarray
    cost: np.ndarray
    layers: np.ndarray

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


@dataclass(frozen=True)
class Difference:
    """How far a contender is ahead of its rival, as a share (0.01 = one point), and the 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


# --- contenders ------------------------------------------------------------------------------------


def early_exit(
    tests: Sequence[ExitTrace], speeds: Sequence[float], measure: str = "entropy", name: str = "early_exit"
) -> Contender:
    """FastBERT's rule, at one speed for each seed (see `speeds_for`)."""
    found = [replace(trace, measure=measure).at(speed) for trace, speed in zip(tests, speeds, strict=True)]
    right = [exits.predictions == trace.labels for exits, trace in zip(found, tests, strict=True)]
    cost = [mean_flops(trace, exits.exit_layer) for exits, trace in zip(found, tests, strict=True)]
    layers = [exits.mean_layer for exits in found]
    return Contender(name, np.array(right, dtype=float), np.array(cost), np.array(layers))


def speeds_for(validations: Sequence[ExitTrace], speedup: float, measure: str = "entropy") -> list[float]:
    """For each seed the lowest speed that saves so many FLOPs on the validation split."""
    return [speed_for(replace(trace, measure=measure), speedup) for trace in validations]


def whole_network(tests: Sequence[ExitTrace]) -> Contender:
    """All layers and the last exit alone: the teacher."""
    last = len(tests[0].probabilities)
    return mixed("whole_network", _depths(tests), [_depth_costs(trace)[last - 1] for trace in tests])


def first_exit(tests: Sequence[ExitTrace]) -> Contender:
    """One layer and its exit alone: the least that can be spent."""
    return replace(fixed_depth(tests, np.zeros(len(tests))), name="first_exit")


def fixed_depth(tests: Sequence[ExitTrace], cost: np.ndarray) -> Contender:
    """One depth for all texts, with that depth's exit alone, at the mean FLOPs `cost` [S]."""
    return mixed("fixed_depth", _depths(tests), cost)


def fixed_depth_on_the_clock(
    tests: Sequence[ExitTrace], milliseconds: np.ndarray, cost: np.ndarray
) -> Contender:
    """The same where `milliseconds` [L] is what each depth takes, and `cost` [S] may be spent."""
    rights, _, layers = _depths(tests)
    costs = np.repeat(np.asarray(milliseconds)[:, None], len(tests), axis=1)
    return mixed("fixed_depth", (rights, costs, layers), cost)


def random_exit(
    tests: Sequence[ExitTrace], like: Contender, speeds: Sequence[float], measure: str = "entropy"
) -> Contender:
    """As many texts leave at every layer as with early exit at `speeds`, but chance says which."""
    right = []
    for trace, speed in zip(tests, speeds, strict=True):
        shares = replace(trace, measure=measure).at(speed).histogram / len(trace.labels)  # [L]
        right.append(shares @ (trace.probabilities.argmax(-1) == trace.labels))
    return Contender("random_exit", np.array(right), like.cost, like.layers)


def one_speed(tests: Sequence[ExitTrace], cost: np.ndarray) -> Contender:
    """FastBERT's rule with one speed for all exits, at the mean FLOPs `cost` [S]: the rival of many speeds.

    Speeds are tried in steps of 0.01; between two, texts are shared out as between two depths.
    """
    found = [early_exit(tests, [speed] * len(tests)) for speed in np.linspace(1, 0, 101)]  # ever dearer
    choices = tuple(np.stack([getattr(each, part) for each in found]) for part in ("right", "cost", "layers"))
    return mixed("one_speed", choices, cost)


def patience(tests: Sequence[ExitTrace], cost: np.ndarray) -> Contender:
    """PABEE (Zhou et al. 2020): a text leaves when t exits one after another have said the same."""
    rights, costs, layers = [], [], []
    for patient in range(len(tests[0].probabilities)):
        leaves = [_agreed(trace, patient) for trace in tests]  # S times [N], 1-based
        pairs = list(zip(tests, leaves, strict=True))
        answers = [trace.probabilities.argmax(-1)[each - 1, np.arange(len(each))] for trace, each in pairs]
        rights.append([answer == trace.labels for answer, trace in zip(answers, tests, strict=True)])
        costs.append([mean_flops(trace, each) for trace, each in pairs])
        layers.append([each.mean() for each in leaves])
    return mixed("patience", (np.array(rights, dtype=float), np.array(costs), np.array(layers)), cost)


def static(name: str, right: np.ndarray, flops: float, layers: float = np.nan) -> Contender:
    """A model without a dial: right or wrong [S, N] at one cost."""
    right = np.atleast_2d(np.asarray(right, dtype=float))
    seeds = len(right)
    return Contender(name, right, np.full(seeds, flops), np.full(seeds, layers))


# --- the difference --------------------------------------------------------------------------------


def difference(contender: Contender, rival: Contender, draws: int = 4000, seed: int = 0) -> Difference:
    """Accuracy of `contender` minus that of `rival`, with the interval of a paired bootstrap.

    Seeds are paired where both have as many; a rival without seeds (one row) stands beside all of them.

    Raises:
        ValueError: other texts, or numbers of seeds that cannot be paired.
    """
    if contender.right.shape[1] != rival.right.shape[1]:
        raise ValueError(
            f"{contender.name} answered {contender.right.shape[1]} texts, {rival.name} {rival.right.shape[1]}"
        )
    if len(contender.right) != len(rival.right) and 1 not in (len(contender.right), len(rival.right)):
        raise ValueError(f"{len(contender.right)} seeds cannot be paired with {len(rival.right)}")
    gains = contender.right - rival.right  # [S, N]
    random = np.random.default_rng(seed)
    seeds, texts = gains.shape
    of_seeds = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds  # [D, S]
    of_texts = random.multinomial(texts, np.full(texts, 1 / texts), size=draws) / texts  # [D, N]
    drawn = (of_seeds @ gains * of_texts).sum(1)  # [D]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Difference(float(gains.mean()), float(low), float(high))


def difference_of_seeds(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """The same where records keep one accuracy a seed and no single answers: paired by seed, Student's t.

    Texts cannot be drawn again then, so the interval says how seeds differ, not how other texts would. A
    single seed says nothing of that: its interval is everything.

    Raises:
        ValueError: other numbers of seeds.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} seeds cannot be paired with {len(theirs)}")
    gains = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    if len(gains) == 1:
        return Difference(float(gains[0]), -np.inf, np.inf)
    error = gains.std(ddof=1) / np.sqrt(len(gains)) * t_distribution.ppf(0.975, len(gains) - 1)
    return Difference(float(gains.mean()), float(gains.mean() - error), float(gains.mean() + error))


# --- shared ----------------------------------------------------------------------------------------


def mean_flops(trace: ExitTrace, exit_layers: np.ndarray) -> float:
    """Layers and exits up to where each text left [N], 1-based -> FLOPs a text."""
    one = layer_flops(trace.config, trace.lengths) + exit_flops(trace.config, trace.lengths)
    return float((exit_layers * one).mean())


def _depth_costs(trace: ExitTrace) -> np.ndarray:
    """[L], the mean FLOPs of a network that ends after layer 1, 2, …: its layers and one exit."""
    depths = np.arange(1, len(trace.probabilities) + 1)
    layer, last = (
        layer_flops(trace.config, trace.lengths).mean(),
        exit_flops(trace.config, trace.lengths).mean(),
    )
    return depths * layer + last


def _depths(tests: Sequence[ExitTrace]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every depth: right [L, S, N], cost [L, S], layers [L, S]."""
    rights = np.stack([trace.probabilities.argmax(-1) == trace.labels for trace in tests], axis=1)
    costs = np.stack([_depth_costs(trace) for trace in tests], axis=1)
    layers = np.repeat(np.arange(1.0, len(rights) + 1)[:, None], len(tests), axis=1)
    return rights.astype(float), costs, layers


def _agreed(trace: ExitTrace, patient: int) -> np.ndarray:
    """[N], the layer (1-based) at which `patient` exits in a row have agreed with the one before them."""
    answers = trace.probabilities.argmax(-1)  # [L, N]
    leaves = np.full(answers.shape[1], len(answers))
    for depth in range(len(answers) - 1, patient - 1, -1):  # from the top, so that the first one stays
        agreed = (answers[depth - patient : depth] == answers[depth]).all(0)
        leaves = np.where(agreed, depth + 1, leaves)
    return leaves


def mixed(
    name: str, choices: tuple[np.ndarray, np.ndarray, np.ndarray], cost: Sequence[float] | np.ndarray
) -> Contender:
    """Of K choices, each dearer than the last, the mixture of two neighbours whose mean cost is `cost` [S].

    Where `cost` lies outside of what the choices cost, the cheapest or the dearest answers alone.
    """
    rights, costs, layers = choices
    mixed = []
    for number, wanted in enumerate(np.asarray(cost, dtype=float)):
        each = costs[:, number]
        place = np.interp(wanted, each, np.arange(len(each)))  # 2.25: three quarters of 2, a quarter of 3
        below, share = int(place), place - int(place)
        above = min(below + 1, len(each) - 1)
        mixed.append(
            [
                (1 - share) * part[below, number] + share * part[above, number]
                for part in (rights, costs, layers)
            ]
        )
    right, spent, depth = (np.array(part) for part in zip(*mixed, strict=True))
    return Contender(name, right, spent, depth)
