"""Which layers run, in the first steps of a training with LayerDrop."""

from matplotlib.figure import Figure

from course_lib.figures.drawn_layers import draw_runs, draws
from course_lib.style import ORANGE, describe, new_figure
from course_lib.words import t


def draws_of_training(rate: float, num_layers: int, steps: int = 40) -> Figure:
    """Real draws: a column a step, blue where the layer runs; the line is the mean number of layers."""
    runs = draws(rate, num_layers, steps)  # [S, L]
    figure, axes = new_figure()
    draw_runs(axes, runs)
    axes.set_yticks([1, *range(3, num_layers + 1, 3)])
    mean = runs.sum(1).mean()
    axes.plot([0.5, steps + 0.5], [mean] * 2, color=ORANGE, linewidth=2.4)
    title = t("figure.draws_of_training", rate=rate, layers=num_layers, mean=mean, steps=steps)
    axes.set_title(title)
    return describe(figure, title)
