"""LayerDrop in real draws: which layers run in training step after step, and which stay after a cut."""

import numpy as np
from matplotlib.figure import Figure

from course_lib.figures.drawn_layers import draw_cells, draw_runs, draws
from course_lib.models.pruning import every_other
from course_lib.style import describe, new_figure
from course_lib.words import t


def training_draws(rate: float, num_layers: int, steps: int, keeps: list[int]) -> Figure:
    """Left, `steps` draws at `rate`; right, the layers that stay when only `keeps` of them may."""
    ratios = {"width_ratios": [2.2, 1]}
    figure, (left, right) = new_figure(height=4.2, ncols=2, gridspec_kw=ratios)
    runs = draws(rate, num_layers, steps)  # [S, L]
    draw_runs(left, runs)
    kept = np.zeros((num_layers, len(keeps)))
    for column, keep in enumerate(keeps):
        kept[np.array(every_other(num_layers, keep)) - 1, column] = 1
    draw_cells(right, kept)
    right.set_xticks(range(1, len(keeps) + 1), keeps)
    right.set(xlabel=t("axis.layers_kept"), ylabel=t("axis.layer"))
    left.set_title(t("draws.training", rate=rate))
    right.set_title(t("draws.afterwards"))
    mean = float(runs.sum(1).mean())
    title = t("figure.training_draws", mean=mean, layers=num_layers, steps=steps)
    figure.suptitle(title, x=0.01, ha="left", fontsize=14)
    stay = t("list.comma").join(map(str, every_other(num_layers, keeps[-1])))
    words = t("figure.training_draws_alt", keep=keeps[-1], stay=stay)
    return describe(figure, f"{title}{t('list.semicolon')}{words}")
