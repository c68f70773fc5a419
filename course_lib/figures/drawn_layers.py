"""Which layers run, step by step: what LayerDrop does to a network while it trains."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.image import AxesImage

from course_lib.models.layerdrop import draw, drop_rates
from course_lib.style import BLUE
from course_lib.words import t

CELL = np.pad(np.ones((8, 8)), 1)  # a square, and half a gap all around it: so its tick meets its middle
COLOURS = LinearSegmentedColormap.from_list("runs", ["#e4e4e4", BLUE]).with_extremes(under="white")


def draws(rate: float, num_layers: int, steps: int) -> np.ndarray:
    """The layers that run in `steps` training steps, as booleans [S, L].

    Every step throws the same coins at every rate, so a layer that runs at a high rate also runs at a
    lower one (but for the layer that is spared where all coins say drop).
    """
    rates, generator = drop_rates(rate, num_layers), torch.Generator()
    return torch.stack([draw(rates, generator.manual_seed(1_000_003 * n)) for n in range(steps)]).numpy()


def draw_runs(axes: Axes, runs: np.ndarray) -> AxesImage:
    """Draws runs [S, L], layer 1 at the bottom, on axes with those names."""
    image = draw_cells(axes, runs.T)
    axes.set(xlabel=t("axis.training_step"), ylabel=t("axis.layer"))
    return image


def draw_cells(axes: Axes, shares: np.ndarray) -> AxesImage:
    """Shares [L, X] in 0..1 as squares from grey to blue; the first row is the lowest."""
    rows, columns = shares.shape
    image = axes.imshow(
        cells(shares),
        origin="lower",
        extent=(0.5, columns + 0.5, 0.5, rows + 0.5),
        aspect="auto",
        interpolation="nearest",
        cmap=COLOURS,
        vmin=0,
        vmax=1,
    )
    axes.set_yticks(range(1, rows + 1))
    axes.grid(visible=False)
    return image


def cells(shares: np.ndarray) -> np.ndarray:
    """Shares [L, X] as an image, a square each, with gaps (-1) between them."""
    squares = np.kron(np.asarray(shares, dtype=float), CELL)
    gaps = np.kron(np.ones(shares.shape), CELL) == 0
    squares[gaps] = -1
    return squares
