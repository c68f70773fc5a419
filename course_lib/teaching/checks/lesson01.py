"""The exercises of lesson 01: a layer's weights, their room in memory, what leaving early saves."""

from collections.abc import Callable

from course_lib.teaching.checks.compare import Wrong, compare


def check_layer_weights(function: Callable[[int, int], int]) -> bool:
    """Exercise: how many weights a Transformer layer of width H with a feed-forward of F neurons has."""

    def layer(hidden, inner, projections=4, bias=1, norms=2, back=1):
        attention = projections * (hidden * hidden + bias * hidden)
        feed_forward = hidden * inner + bias * inner + back * (inner * hidden + bias * hidden)
        return attention + feed_forward + norms * 2 * hidden

    cases = [(4, 8), (64, 128), (128, 512), (384, 1536), (768, 3072), (5, 3)]
    mistakes: dict[str, Wrong] = {
        "no_biases": lambda hidden, inner: layer(hidden, inner, bias=0),
        "no_norms": lambda hidden, inner: layer(hidden, inner, norms=0),
        "three_projections": lambda hidden, inner: layer(hidden, inner, projections=3),
        "one_way": lambda hidden, inner: layer(hidden, inner, back=0),
    }
    return compare(function, layer, cases, mistakes)


def check_megabytes(function: Callable[[int, int], float]) -> bool:
    """Exercise: how many megabytes (10^6 bytes) so many weights of so many bits take."""
    cases = [(1_000_000, 32), (1_000_000, 8), (110_000_000, 32), (38_000_000, 4), (3_500_000, 16)]
    mistakes: dict[str, Wrong] = {
        "bits_as_bytes": lambda weights, bits: weights * bits / 1e6,
        "always_float32": lambda weights, bits: weights * 4 / 1e6,
        "mebibytes": lambda weights, bits: weights * bits / 8 / 2**20,
        "just_bytes": lambda weights, bits: weights * bits / 8,
    }
    return compare(function, lambda weights, bits: weights * bits / 8 / 1e6, cases, mistakes)


def check_saving(function: Callable[[list[int], int, float], float]) -> bool:
    """Exercise: how many times cheaper leaving early is, by the layers at which sentences left.

    A layer costs 1, an exit `price`; a sentence pays for every layer and exit up to its own.
    """

    def mean(costs):
        return sum(costs) / len(costs)

    def whole(layers, price):
        return layers + price

    def saving(left, layers, price):
        return whole(layers, price) / mean([depth * (1 + price) for depth in left])

    cases = [
        ([1, 1, 2, 4], 4, 0.1),
        ([12, 12, 12], 12, 0.05),
        ([1, 12], 12, 0.25),
        ([2, 3, 3, 6, 6], 6, 0.2),
    ]
    mistakes: dict[str, Wrong] = {
        "free_exits": lambda left, layers, price: layers / mean(left),
        "one_exit": lambda left, layers, price: whole(layers, price) / mean([each + price for each in left]),
        "mean_of_ratios": lambda left, layers, price: mean(
            [whole(layers, price) / (each * (1 + price)) for each in left]
        ),
        "bare_baseline": lambda left, layers, price: layers / mean([each * (1 + price) for each in left]),
        "upside_down": lambda left, layers, price: 1 / saving(left, layers, price),
    }
    return compare(function, saving, cases, mistakes)
