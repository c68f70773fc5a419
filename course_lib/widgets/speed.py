"""The speed slider: move it, and see where sentences leave, what it costs, and which answers change.

Every number comes from `ExitTrace`.
"""

import html
from collections.abc import Sequence
from dataclasses import replace

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course_lib.figures.layer_histogram import draw_layer_histogram, shares
from course_lib.figures.trade_off import draw_trade_off
from course_lib.measures.trace import Exits, ExitTrace
from course_lib.style import ORANGE, describe, new_figure
from course_lib.texts.unread import Unread
from course_lib.widgets.parts import bar, html_table, short, verdict
from course_lib.widgets.picture import HEIGHT, WIDTH, MovingPicture, PictureBox
from course_lib.words import class_word, t


class SpeedSlider(PictureBox):
    """The slider for one task.

    Args:
        trace: the answers of all exits on a split.
        texts: its sentences, in the trace's order.
        class_names: in the order of their numbers.
        model, tokenizer: for the box where one types a sentence; without them there is no box.
        speed: where the slider starts.
        among: the sentences (their numbers) that the table may show; all if not given.
        rows: how many it shows, from the easiest to the hardest in equal steps.

    Without a kernel the same notebook output shows `static()`, the picture at the first speed.
    """

    def __init__(
        self,
        trace: ExitTrace,
        texts: Sequence[str],
        class_names: Sequence[str],
        model=None,
        tokenizer=None,
        speed: float = 0.5,
        among: Sequence[int] | None = None,
        rows: int = 8,
    ):
        if len(texts) != len(trace.labels):
            raise ValueError(f"{len(texts)} texts, but the trace has {len(trace.labels)} sentences")
        self.trace, self.texts, self.class_names = trace, texts, class_names
        self.model, self.tokenizer = model, tokenizer
        self.shown = easy_to_hard(trace, among, rows)
        self.typed: ExitTrace | None = None  # the sentence in the box, as a trace of one

        self.speed = ipywidgets.FloatSlider(
            value=speed,
            min=0.0,
            max=1.0,
            step=0.01,
            description=t("slider.speed"),
            readout_format=".2f",
            layout=ipywidgets.Layout(width="520px"),
        )
        self.state = ipywidgets.HTML()
        self.image = self.new_image()
        self.sentences = ipywidgets.HTML()
        self.notice = ipywidgets.HTML()
        self.layers = ipywidgets.HTML()
        self.box = ipywidgets.Text(
            placeholder=t("slider.placeholder"),
            continuous_update=False,
            layout=ipywidgets.Layout(width="520px"),
        )
        parts = [self.speed, self.state, self.image, self.sentences]
        if model is not None:
            parts += [ipywidgets.Label(t("slider.try")), self.box, self.notice, self.layers]
        super().__init__(parts)

        self.speed.observe(self._on_speed, names="value")
        self.box.observe(self._on_text, names="value")
        self._on_speed()

    # --- events ------------------------------------------------------------------------------------

    def _on_speed(self, _change=None) -> None:
        exits = self.trace.at(self.speed.value)
        # The picture first: it is what the eye follows.
        self.picture.move(exits)
        self.image.value = self.picture.png()
        self.state.value = self._state(exits)
        self.sentences.value = self._table_html(exits)
        self._show_typed()

    def _on_text(self, _change=None) -> None:
        text = self.box.value.strip()
        self.typed, self.notice.value = None, ""
        if not text:
            self.notice.value = t("slider.empty")
        else:
            typed = ExitTrace.of(self.model, self.tokenizer, {"text": [text], "label": [0]})
            self.typed = replace(typed, measure=self.trace.measure)
            self.notice.value = " ".join(Unread.of([text], self.tokenizer).of_one())
        self._show_typed()

    # --- what stands where -------------------------------------------------------------------------

    def _state(self, exits: Exits) -> str:
        return t(
            "slider.state",
            accuracy=exits.accuracy,
            teacher=self.trace.accuracy_by_layer[-1],
            mean=exits.mean_layer,
            layers=len(exits.histogram),
            speedup=exits.flops_speedup,
        )

    def table(self, speed: float) -> pd.DataFrame:
        """The shown sentences at `speed`: text, exit layer, answer, and whether it is right."""
        return self._table(self.trace.at(speed))

    def _table(self, exits: Exits) -> pd.DataFrame:
        right = exits.predictions == self.trace.labels
        return pd.DataFrame(
            {
                t("slider.column_text"): [self.texts[number] for number in self.shown],
                t("slider.column_layer"): exits.exit_layer[self.shown],
                t("slider.column_answer"): [
                    class_word(self.class_names[exits.predictions[number]]) for number in self.shown
                ],
                t("slider.column_right"): [
                    t("slider.right" if right[number] else "slider.wrong") for number in self.shown
                ],
            }
        )

    def _table_html(self, exits: Exits) -> str:
        layers = len(exits.histogram)
        rows = []
        table = self._table(exits)
        for text, layer, answer, right in table.itertuples(index=False):
            cells = [short(text), bar(layer / layers, str(layer)), html.escape(answer), verdict(right)]
            rows.append(cells)
        return html_table(list(table.columns), rows)

    def _show_typed(self) -> None:
        if self.typed is None:
            self.layers.value = ""
            return
        leaves = int(self.typed.at(self.speed.value).exit_layer[0])
        rows = []
        for number, (probabilities, doubt) in enumerate(
            zip(self.typed.probabilities[:, 0], self.typed.uncertainties[:, 0], strict=True), start=1
        ):
            answer = int(probabilities.argmax())
            rows.append(
                [
                    f"<b>{number}</b>" if number == leaves else str(number),
                    html.escape(class_word(self.class_names[answer])),
                    bar(float(probabilities[answer]), f"{probabilities[answer]:.1%}"),
                    bar(float(doubt), f"{doubt:.3f}"),
                    f"<b>{t('slider.leaves_here')}</b>" if number == leaves else "",
                ]
            )
        columns = ("exit", "answer", "probability", "uncertainty")
        self.layers.value = html_table([*(t(f"slider.column_{name}") for name in columns), ""], rows)

    # --- for readers without a kernel --------------------------------------------------------------

    def new_picture(self) -> "_SpeedPicture":
        return _SpeedPicture(self.trace)

    def static(self, speed: float) -> Figure:
        """The slider's picture at one speed, as a figure of its own."""
        exits = self.trace.at(speed)
        picture = self.new_picture()
        picture.move(exits)
        return describe(picture.figure, self._alt(speed, exits))

    def static_now(self) -> Figure:
        return self.static(self.speed.value)

    @staticmethod
    def _alt(speed: float, exits: Exits) -> str:
        """The picture in words, for those who can't see it."""
        return t(
            "slider.alt",
            speed=speed,
            accuracy=exits.accuracy,
            mean=exits.mean_layer,
            layers=len(exits.histogram),
            speedup=exits.flops_speedup,
        )


class _SpeedPicture(MovingPicture):
    """Bars and a point that move."""

    def __init__(self, trace: ExitTrace):
        figure, (left, right) = new_figure(WIDTH, HEIGHT, ncols=2)
        left.set_title(t("slider.title_histogram"))
        right.set_title(t("slider.title_trade_off"))
        draw_trade_off(right, trace)
        right.legend(loc="lower left")
        self.bars = draw_layer_histogram(left, trace.at(0.0).histogram)
        for each in self.bars:
            each.set_linewidth(0)  # an empty bar's white edge would cut the axis
        (self.mean,) = left.plot([], [], color=ORANGE, linewidth=2)
        # Not clipped: it is whole at the rim, too. Then the layout must not make room for it.
        (self.point,) = right.plot([], [], "o", color=ORANGE, markersize=11, zorder=5, clip_on=False)
        self.point.set_in_layout(False)
        super().__init__(figure, [*self.bars, self.mean, self.point])

    def move(self, exits: Exits) -> None:
        """Puts bars, mean line and point where this speed wants them."""
        for each, share in zip(self.bars, shares(exits.histogram), strict=True):
            each.set_height(share)
        self.mean.set_data([exits.mean_layer] * 2, [0, 1])
        self.point.set_data([exits.flops_speedup], [exits.accuracy])


def easy_to_hard(trace: ExitTrace, among: Sequence[int] | None = None, rows: int = 8) -> list[int]:
    """`rows` sentences in equal steps from the least to the most uncertain (mean over the exits)."""
    numbers = np.arange(len(trace.labels)) if among is None else np.asarray(among)
    ordered = numbers[np.argsort(trace.uncertainties[:, numbers].mean(0), kind="stable")]
    places = np.linspace(0, len(ordered) - 1, min(rows, len(ordered))).round().astype(int)
    return ordered[places].tolist()
