"""The drop-rate slider: which layers run in training, and what networks trained so are worth when cut."""

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course_lib.figures.by_layers_kept import draw_accuracy_by_kept
from course_lib.figures.drawn_layers import cells, draw_runs, draws
from course_lib.measures.cuts import over_seeds
from course_lib.style import ORANGE, describe, new_figure
from course_lib.widgets.picture import HEIGHT, WIDTH, MovingPicture, PictureBox
from course_lib.words import t

WAY = "every_other"


class DropRateSlider(PictureBox):
    """The slider for networks of one depth.

    Args:
        table: of `cuts.cut_table`: networks trained at several drop rates, cut to every other layer.
        rate: where the slider starts.
        steps: how many training steps are drawn.
        classes: of the task; guessing is right on one in so many.
    """

    def __init__(self, table: pd.DataFrame, rate: float = 0.2, steps: int = 40, classes: int = 2):
        self.table, self.classes = table, classes
        self.layers, self.steps = int(table["keep"].max()), steps
        self.trained = {float(each): study for study, each in zip(table["study"], table["rate"], strict=True)}
        self.accuracy = over_seeds(table)
        self.rate = ipywidgets.FloatSlider(
            value=rate,
            min=0.0,
            max=0.9,
            step=0.05,
            description=t("drop_rate.slider"),
            readout_format=".2f",
            layout=ipywidgets.Layout(width="520px"),
            style={"description_width": "initial"},
        )
        self.state, self.image = ipywidgets.HTML(), self.new_image()
        super().__init__([self.rate, self.state, self.image])
        self.rate.observe(self._on_rate, names="value")
        self._on_rate()

    def _on_rate(self, _change=None) -> None:
        self.picture.move(self.rate.value)
        self.image.value = self.picture.png()
        self.state.value = self.describe(self.rate.value)

    def runs(self, rate: float) -> np.ndarray:
        """The layers that run in the steps drawn, as booleans [S, L]."""
        return draws(rate, self.layers, self.steps)

    def curve(self, rate: float) -> pd.Series | None:
        """Mean accuracy by layers kept of the network trained at `rate`; None if none was."""
        study = self.trained.get(round(rate, 2))
        return None if study is None else self.accuracy["mean"][study, WAY].sort_index()

    def describe(self, rate: float) -> str:
        """The sentence under the slider."""
        expected = (1 - rate) * self.layers + rate**self.layers  # where all would be dropped, one runs
        first = t(
            "drop_rate.state",
            expected=expected,
            layers=self.layers,
            drawn=self.runs(rate).sum(1).mean(),
            steps=self.steps,
            time=expected / self.layers,
        )
        curve = self.curve(rate)
        if curve is None:
            measured = t("list.comma").join(f"{each:g}" for each in sorted(self.trained))
            return f"{first}<br>{t('drop_rate.untrained', measured=measured)}"
        parts = [
            t("drop_rate.kept", keep=keep, accuracy=curve[keep]) for keep in sorted(curve.index, reverse=True)
        ]
        return f"{first}<br>{t('drop_rate.trained', parts=' · '.join(parts))}"

    def new_picture(self) -> "_DropRatePicture":
        return _DropRatePicture(self)

    def static(self, rate: float) -> Figure:
        """The slider's picture at one rate, as a figure of its own."""
        picture = self.new_picture()
        picture.move(rate)
        words = self.describe(rate).replace("<br>", " ").replace("<b>", "").replace("</b>", "")
        return describe(picture.figure, words)

    def static_now(self) -> Figure:
        return self.static(self.rate.value)


class _DropRatePicture(MovingPicture):
    """Squares that are filled or not, and a line that is picked out."""

    def __init__(self, slider: DropRateSlider):
        self.slider = slider
        figure, (left, right) = new_figure(WIDTH, HEIGHT, ncols=2)
        left.set_title(t("drop_rate.title_draws"))
        right.set_title(t("drop_rate.title_accuracy"))
        self.image = draw_runs(left, slider.runs(0.0))
        (self.mean,) = left.plot([], [], color=ORANGE, linewidth=2)
        draw_accuracy_by_kept(right, slider.table, WAY, slider.classes)
        (self.line,) = right.plot([], [], "o-", color=ORANGE, linewidth=4, alpha=0.7, zorder=5)
        right.legend(loc="center right")
        super().__init__(figure, [self.image, self.mean, self.line])

    def move(self, rate: float) -> None:
        """Draws this rate's steps, and picks out the network that was trained at it."""
        runs = self.slider.runs(rate)
        self.image.set_data(cells(runs.T))
        curve = self.slider.curve(rate)
        # At the height that the axis calls so: where the mean is 9.6 layers, the line meets 9.6.
        self.mean.set_data([0.5, len(runs) + 0.5], [runs.sum(1).mean()] * 2)
        self.line.set_data(([], []) if curve is None else (curve.index, curve.to_numpy()))
