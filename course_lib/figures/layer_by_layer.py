"""What every exit of a FastBERT answers to some sentences, and where each of them leaves."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from course_lib.style import GREY, PALETTE, describe, new_figure, percent_axis
from course_lib.words import t

MARKERS = "osD^v"


def layer_by_layer(answers: Mapping[str, np.ndarray], exit_layers: Mapping[str, int]) -> Figure:
    """One line a sentence.

    Args:
        answers: sentence -> the probability of the second class at every exit [L].
        exit_layers: sentence -> where it leaves, 1..L: the big marker; what is paler is never computed.
    """
    figure, axes = new_figure()
    axes.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    for number, (sentence, probabilities) in enumerate(answers.items()):
        color, marker = PALETTE[number], MARKERS[number]
        layers, left = np.arange(1, len(probabilities) + 1), exit_layers[sentence]
        axes.plot(layers, probabilities, marker=marker, color=color, alpha=0.3, linewidth=1.5, markersize=5)
        axes.plot(layers[:left], probabilities[:left], color=color, linewidth=2.6)
        last = probabilities[left - 1]
        axes.plot(left, last, marker=marker, color=color, markersize=13, linestyle="none", label=sentence)
    axes.set_xticks(np.arange(1, max(map(len, answers.values())) + 1))
    axes.set(xlabel=t("axis.exit"), ylabel=t("axis.positive"), ylim=(-0.03, 1.03))
    percent_axis(axes.yaxis)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.09), ncols=1)
    sentences = {t("figure.layer_by_layer_cell", sentence=name, layer=exit_layers[name]) for name in answers}
    first, last = min(exit_layers.values()), max(exit_layers.values())
    title = t("figure.layer_by_layer", first=first, last=last)
    axes.set_title(title)
    return describe(figure, f"{title}{t('list.semicolon')}{t('list.semicolon').join(sorted(sentences))}")
