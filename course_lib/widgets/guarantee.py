"""The promise slider: at most so many answers spoilt, with 95 % certainty; what speed may be used then?"""

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from course_lib.figures.trade_off import draw_trade_off
from course_lib.measures.guarantee import SPEEDS, guaranteed_speed, spoilt_answers
from course_lib.measures.trace import ExitTrace
from course_lib.style import BLUE, ORANGE, describe, new_figure, percent_axis
from course_lib.widgets.picture import HEIGHT, WIDTH, MovingPicture, PictureBox
from course_lib.words import t


class PromiseSlider(PictureBox):
    """The slider for one network.

    Args:
        calibration: its answers on texts that took no part in training; they choose the speed.
        test: its answers on other texts, drawn alike; they show what the promise was worth.
        most: the share of spoilt answers where the slider starts.
        certainty: of the promise, in (0, 1).
    """

    def __init__(self, calibration: ExitTrace, test: ExitTrace, most: float = 0.02, certainty: float = 0.95):
        self.calibration, self.test, self.certainty = calibration, test, certainty
        self.most = ipywidgets.FloatSlider(
            value=100 * most,
            min=0.25,
            max=10.0,
            step=0.25,
            description=t("guarantee.slider"),
            readout_format=".2f",
            layout=ipywidgets.Layout(width="520px"),
            style={"description_width": "initial"},
        )
        self.state, self.image = ipywidgets.HTML(), self.new_image()
        super().__init__([self.most, self.state, self.image])
        self.most.observe(self._on_most, names="value")
        self._on_most()

    def _on_most(self, _change=None) -> None:
        most = self.most.value / 100
        self.picture.move(most, self.speed(most))
        self.image.value = self.picture.png()
        self.state.value = self.describe(most)

    def speed(self, most: float) -> float:
        """The laxest speed that the calibration texts allow for this promise."""
        return guaranteed_speed(self.calibration, most, self.certainty).speed

    def describe(self, most: float) -> str:
        """The promise, the speed it allows, and what that spoils and saves on the test texts."""
        speed = self.speed(most)
        exits = self.test.at(speed)
        return t(
            "guarantee.state",
            most=most,
            certainty=self.certainty,
            speed=speed,
            spoilt=float(spoilt_answers(self.test, speed).mean()),
            accuracy=exits.accuracy,
            whole=self.test.accuracy_by_layer[-1],
            speedup=exits.flops_speedup,
        )

    def new_picture(self) -> "_PromisePicture":
        return _PromisePicture(self.calibration, self.test)

    def static(self, most: float) -> Figure:
        """The slider's picture for one promise, as a figure of its own."""
        picture = self.new_picture()
        picture.move(most, self.speed(most))
        return describe(picture.figure, self.describe(most))

    def static_now(self) -> Figure:
        return self.static(self.most.value / 100)


class _PromisePicture(MovingPicture):
    """Two lines that cross where the promise ends, and a point on the trade-off."""

    def __init__(self, calibration: ExitTrace, test: ExitTrace):
        figure, (left, right) = new_figure(WIDTH, HEIGHT, ncols=2)
        self.test = test
        spoilt = [spoilt_answers(calibration, speed).mean() for speed in SPEEDS]
        left.plot(SPEEDS, spoilt, color=BLUE, linewidth=2)
        left.set(xlim=(0, 1), ylim=(0, max(1.1 * max(spoilt), 0.11)))
        left.set(xlabel=t("slider.speed"), ylabel=t("axis.spoilt"))
        left.set_title(t("guarantee.title_spoilt"))
        percent_axis(left.yaxis)
        right.set_title(t("slider.title_trade_off"))
        draw_trade_off(right, test)
        right.legend(loc="lower left")
        (self.promise,) = left.plot([], [], color=ORANGE, linewidth=2)
        (self.allowed,) = left.plot([], [], color=ORANGE, linewidth=2, linestyle="--")
        (self.point,) = right.plot([], [], "o", color=ORANGE, markersize=11, zorder=5, clip_on=False)
        self.point.set_in_layout(False)
        super().__init__(figure, [self.promise, self.allowed, self.point])

    def move(self, most: float, speed: float) -> None:
        """Puts the promise, the speed that it allows, and the point where they belong."""
        self.promise.set_data([0, 1], [most] * 2)
        self.allowed.set_data([speed] * 2, [0, np.max(self.allowed.axes.get_ylim())])
        exits = self.test.at(speed)
        self.point.set_data([exits.flops_speedup], [exits.accuracy])
