"""A speed with a guarantee: how much may be saved if at most so many answers are to be spoilt?

Learn then Test (Angelopoulos et al. 2022), as CALM (Schuster et al. 2022) uses it for exits. An answer is
*spoilt* where the whole network is right and early exit is wrong; the share of spoilt answers bounds the
accuracy lost. For every speed the hypothesis "more than `most` are spoilt" is tested on texts that took no
part in training. Speeds are tested from the strictest to the laxest, and the first that cannot be rejected
ends the walk (fixed-sequence testing), so that all tests together err with probability 1 - `certainty`.

An answer is spoilt or not, so the exact binomial test serves. MAPIE's `BinaryClassificationController` walks
alike with Hoeffding and Bentkus' bound, which holds for any bounded loss and allows a little less.

Shapes: N texts, S speeds, L layers.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from course_lib.measures.trace import ExitTrace

SPEEDS = np.round(np.linspace(0, 1, 101), 2)


@dataclass(frozen=True)
class Guarantee:
    """What calibration texts allow.

    Fields:
        speed: the laxest speed that is allowed; 0 where none is (then nothing leaves early).
        speeds, p_values: [S], what was tested, and how likely so few spoilt answers are if too many are.
        spoilt: [S], the share of spoilt answers among the calibration texts.
    """

    speed: float
    speeds: np.ndarray
    p_values: np.ndarray
    spoilt: np.ndarray


def spoilt_answers(trace: ExitTrace, speed: float) -> np.ndarray:
    """Where the last exit is right and early exit at `speed` is wrong -> [N], True or False."""
    whole = trace.probabilities[-1].argmax(-1) == trace.labels  # [N]
    return whole & (trace.at(speed).predictions != trace.labels)


def guaranteed_speed(calibration: ExitTrace, most: float, certainty: float = 0.95) -> Guarantee:
    """The laxest speed at which, with probability `certainty`, at most the share `most` of answers is spoilt.

    The probability is over the draw of calibration texts; texts to come must be drawn alike.

    Raises:
        ValueError: `most` or `certainty` outside (0, 1).
    """
    _check_shares(most, certainty)
    counts = _spoilt_by_speed(calibration).sum(1)  # [S]
    return _walk(counts, len(calibration.labels), most, certainty)


def _walk(counts: np.ndarray, texts: int, most: float, certainty: float) -> Guarantee:
    """Tests speed after speed, up to the first hypothesis that stands."""
    p_values = binom.cdf(counts, texts, most)
    return Guarantee(_last_of(p_values <= 1 - certainty), SPEEDS, p_values, counts / texts)


def speed_without_test(calibration: ExitTrace, most: float) -> float:
    """What one would take without a test: the last speed before more than `most` of them are spoilt."""
    return _last_of(_spoilt_by_speed(calibration).mean(1) <= most)


@dataclass(frozen=True)
class Coverage:
    """How often a promise is kept, over many draws of calibration texts.

    Fields:
        tested, untested: [D], the share of answers spoilt in truth, at the speed that `guaranteed_speed` and
            `speed_without_test` choose.
        most: what was promised.
    """

    tested: np.ndarray
    untested: np.ndarray
    most: float

    @property
    def broken(self) -> tuple[float, float]:
        """The share of draws in which more is spoilt than was promised: with the test, without it."""
        return float((self.tested > self.most).mean()), float((self.untested > self.most).mean())


def coverage(
    trace: ExitTrace,
    most: float,
    certainty: float = 0.95,
    texts: int = 1000,
    draws: int = 1000,
    seed: int = 0,
) -> Coverage:
    """Lets the texts of `trace` be all there are, and draws calibration texts from them, with replacement.

    So it is known what is spoilt in truth: the share among all texts of `trace`.

    Raises:
        ValueError: as `guaranteed_speed`.
    """
    _check_shares(most, certainty)
    spoilt = _spoilt_by_speed(trace)  # [S, N]
    truth = dict(zip(SPEEDS.tolist(), spoilt.mean(1), strict=True))
    random = np.random.default_rng(seed)
    tested, untested = [], []
    for _ in range(draws):
        counts = spoilt[:, random.integers(0, spoilt.shape[1], texts)].sum(1)  # [S]
        tested.append(truth[_walk(counts, texts, most, certainty).speed])
        untested.append(truth[_last_of(counts / texts <= most)])
    return Coverage(np.array(tested), np.array(untested), most)


def _spoilt_by_speed(trace: ExitTrace) -> np.ndarray:
    """[S, N]"""
    return np.stack([spoilt_answers(trace, speed) for speed in SPEEDS])


def _last_of(allowed: np.ndarray) -> float:
    """The last speed of the unbroken run of allowed ones [S] from the strictest on; 0 where there is none."""
    run = int(np.logical_and.accumulate(allowed).sum())
    return float(SPEEDS[max(run - 1, 0)])


def _check_shares(most: float, certainty: float) -> None:
    for name, value in (("most", most), ("certainty", certainty)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1, not {value}")
