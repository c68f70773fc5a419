"""Right answers to the exercises, as students write them."""

import math


def entropy(p, log=math.log):
    return -sum(x * log(x) for x in p if x > 0)


def first_below(doubts, speed):
    for depth, doubt in enumerate(doubts, start=1):
        if doubt < speed:
            return depth
    return len(doubts)


def allowed(trace, speeds, max_loss):
    return [s for s in speeds if trace.at(0.0).accuracy - trace.at(s).accuracy <= max_loss + 1e-9]


def through(x, layers, runs):
    for layer, on in zip(layers, runs, strict=True):
        if on:
            x = layer(x)
    return x


def paper_rule(layers, keep):
    period = layers // (layers - keep)
    return [depth for depth in range(1, layers + 1) if depth % period]


def renamed(name, keep):
    parts = name.split(".")
    if ".layer." not in name:
        return name
    depth = int(parts[3]) + 1
    if depth not in keep:
        return None
    parts[3] = str(keep.index(depth))
    return ".".join(parts)
