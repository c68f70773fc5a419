"""The exercises of lesson 06: equal cost, and the interval of a difference."""

from collections.abc import Callable

import numpy as np

from course_lib.teaching.checks.compare import Wrong, compare


def check_equal_cost(function: Callable[[list[float], list[float], float], float]) -> bool:
    """Exercise: the accuracy that fixed depths reach at a cost between two of theirs.

    The function gets the costs (rising), the accuracies, and the cost that may be spent.
    """

    def mixture(costs, accuracies, cost):
        return float(np.interp(cost, costs, accuracies))

    def nearest(costs, accuracies, cost):
        return accuracies[int(np.abs(np.array(costs) - cost).argmin())]

    def cheaper(costs, accuracies, cost):
        below = [accuracy for each, accuracy in zip(costs, accuracies, strict=True) if each <= cost]
        return below[-1] if below else accuracies[0]

    def turned_round(costs, accuracies, cost):
        place = min(max(int(np.searchsorted(costs, cost)) - 1, 0), len(costs) - 2)
        share = (cost - costs[place]) / (costs[place + 1] - costs[place])
        return share * accuracies[place] + (1 - share) * accuracies[place + 1]

    def half(costs, accuracies, cost):
        place = min(max(int(np.searchsorted(costs, cost)) - 1, 0), len(costs) - 2)
        return (accuracies[place] + accuracies[place + 1]) / 2

    costs, accuracies = [10.0, 20.0, 40.0], [0.70, 0.80, 0.84]
    cases = [(costs, accuracies, cost) for cost in (15.0, 12.5, 35.0, 20.0, 10.0, 40.0)]
    mistakes: dict[str, Wrong] = {
        "nearest_cost": nearest,
        "cheaper_cost": cheaper,
        "turned_round_cost": turned_round,
        "half_cost": half,
    }
    return compare(function, mixture, cases, mistakes)


def check_interval(function: Callable[[list[float]], list[float]]) -> bool:
    """Exercise: from drawn differences to the interval that holds 95 % of them: [low, high]."""

    def quantiles(drawn, low=0.025, high=0.975):
        return np.quantile(drawn, [low, high]).round(6).tolist()

    def rounded(drawn):  # np.quantile by another rule, or numbers unrounded, is no mistake
        found = function(drawn)
        try:
            low, high = (float(value) for value in found)
        except (TypeError, ValueError):
            return found
        expected = quantiles(drawn)
        near = np.allclose([low, high], expected, atol=0.06 * (max(drawn) - min(drawn)) / 2)
        return expected if near else [round(low, 6), round(high, 6)]

    rounded.__name__ = getattr(function, "__name__", "function")
    random = np.random.default_rng(6)
    cases = [
        ([round(float(value), 4) for value in random.normal(middle, spread, 400)],)
        for middle, spread in ((0.01, 0.02), (-0.03, 0.005), (0.0, 0.1))
    ]
    mistakes: dict[str, Wrong] = {
        "whole_range": lambda drawn: [round(min(drawn), 6), round(max(drawn), 6)],
        "ninety": lambda drawn: quantiles(drawn, 0.05, 0.95),
        "one_deviation": lambda drawn: [
            round(float(np.mean(drawn) - np.std(drawn)), 6),
            round(float(np.mean(drawn) + np.std(drawn)), 6),
        ],
        "high_first": lambda drawn: quantiles(drawn)[::-1],
    }
    return compare(rounded if callable(function) else function, quantiles, cases, mistakes, shorten=True)
