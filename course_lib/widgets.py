"""The speed slider: move it, and see where sentences leave, what it costs, and which answers change.

No maths here: every number comes from `ExitTrace`. One figure is drawn once; a move redraws only the bars
and the point on top of the stored background, and sends one PNG, so the picture neither flickers nor jumps.
"""

import html
import io
from collections.abc import Sequence
from functools import lru_cache

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from course_lib.figures.layer_histogram import draw_layer_histogram, shares
from course_lib.figures.trade_off import draw_trade_off
from course_lib.style import BLUE, INK, ORANGE, describe, mime_bundle, new_figure
from course_lib.trace import Exits, ExitTrace
from course_lib.words import class_word, t

WIDTH, HEIGHT = 10.0, 3.1  # inches at 100 dots
DENSITY = 1.5  # of the moving picture: sharp on dense screens, too, and a browser decodes it in time


class SpeedSlider(ipywidgets.VBox):
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
        self.picture = _Picture(trace)

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
        self.image = ipywidgets.Image(
            format="png", layout=ipywidgets.Layout(max_width="100%", width="1000px")
        )
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
        self.image.value = self.picture.at(exits)
        self.state.value = self._state(exits)
        self.sentences.value = self._table_html(exits)
        self._show_typed()

    def _on_text(self, _change=None) -> None:
        text = self.box.value.strip()
        self.typed, self.notice.value = None, ""
        if not text:
            self.notice.value = t("slider.empty")
        else:
            self.typed = ExitTrace.of(self.model, self.tokenizer, {"text": [text], "label": [0]})
            self.notice.value = self._warnings(text)
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
            cells = [_short(text), _bar(layer / layers, str(layer)), html.escape(answer), _verdict(right)]
            rows.append(cells)
        return _html_table(list(table.columns), rows)

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
                    _bar(float(probabilities[answer]), f"{probabilities[answer]:.1%}"),
                    _bar(float(doubt), f"{doubt:.3f}"),
                    f"<b>{t('slider.leaves_here')}</b>" if number == leaves else "",
                ]
            )
        columns = ("exit", "answer", "probability", "uncertainty")
        self.layers.value = _html_table([*(t(f"slider.column_{name}") for name in columns), ""], rows)

    def _warnings(self, text: str) -> str:
        """What the reader should know about a typed sentence: unknown tokens, and a cut at the end."""
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        unknown = sum(1 for token in ids if token == self.tokenizer.unk_token_id)
        warnings = []
        if unknown:
            warnings.append(t("slider.unknown", unknown=unknown, tokens=len(ids)))
        if len(ids) + 2 > self.tokenizer.model_max_length:  # [CLS] and [SEP] take two places
            warnings.append(t("slider.cut", tokens=self.tokenizer.model_max_length - 2))
        return " ".join(warnings)

    # --- for readers without a kernel --------------------------------------------------------------

    def static(self, speed: float) -> Figure:
        """The slider's picture at one speed, as a figure of its own."""
        exits = self.trace.at(speed)
        picture = _Picture(self.trace)
        picture.move(exits)
        return describe(picture.figure, self._alt(speed, exits))

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

    def _repr_mimebundle_(self, include=None, exclude=None, **options):
        data = super()._repr_mimebundle_(**options) or {}
        picture, metadata = mime_bundle(self.static(self.speed.value))
        return {**data, **picture}, metadata


class _Picture:
    """The figure behind the slider: a background drawn once, bars and a point that move."""

    def __init__(self, trace: ExitTrace):
        self.figure, (left, right) = new_figure(WIDTH, HEIGHT, ncols=2)
        left.set_title(t("slider.title_histogram"))
        right.set_title(t("slider.title_trade_off"))
        draw_trade_off(right, trace)
        right.legend(loc="lower left")
        self.bars = draw_layer_histogram(left, trace.at(0.0).histogram)
        for bar in self.bars:
            bar.set_linewidth(0)  # an empty bar's white edge would cut the axis
        (self.mean,) = left.plot([], [], color=ORANGE, linewidth=2)
        # Not clipped: it is whole at the rim, too. Then the layout must not make room for it.
        (self.point,) = right.plot([], [], "o", color=ORANGE, markersize=11, zorder=5, clip_on=False)
        self.point.set_in_layout(False)
        self.moving = [*self.bars, self.mean, self.point]
        self.background = None

    def move(self, exits: Exits) -> None:
        """Puts bars, mean line and point where this speed wants them."""
        for bar, share in zip(self.bars, shares(exits.histogram), strict=True):
            bar.set_height(share)
        self.mean.set_data([exits.mean_layer] * 2, [0, 1])
        self.point.set_data([exits.flops_speedup], [exits.accuracy])

    def at(self, exits: Exits) -> bytes:
        """The PNG for this speed, `DENSITY` times as many dots as shown."""
        canvas = self.figure.canvas
        if self.background is None:
            self.figure.set_dpi(DENSITY * self.figure.dpi)
            for artist in self.moving:
                artist.set_animated(True)
            canvas.draw()
            self.background = canvas.copy_from_bbox(self.figure.bbox)
        canvas.restore_region(self.background)
        self.move(exits)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        size = canvas.get_width_height()
        pixels = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")
        # A hundred colours suffice for a chart, and are encoded in a fraction of the time that all take.
        pixels = pixels.quantize(palette=_palette(), dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        pixels.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


@lru_cache
def _palette() -> Image.Image:
    """The picture's colours, and the steps between them that smooth edges need."""
    mixtures = [(INK, "white"), (BLUE, "white"), (ORANGE, "white"), (BLUE, ORANGE)]
    colours = np.concatenate([np.linspace(to_rgb(one), to_rgb(other), 24) for one, other in mixtures])
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * colours).round().astype(np.uint8).tobytes())
    return palette


def easy_to_hard(trace: ExitTrace, among: Sequence[int] | None = None, rows: int = 8) -> list[int]:
    """`rows` sentences in equal steps from the least to the most uncertain (mean over the exits)."""
    numbers = np.arange(len(trace.labels)) if among is None else np.asarray(among)
    ordered = numbers[np.argsort(trace.uncertainties[:, numbers].mean(0), kind="stable")]
    places = np.linspace(0, len(ordered) - 1, min(rows, len(ordered))).round().astype(int)
    return ordered[places].tolist()


# --- HTML ------------------------------------------------------------------------------------------


def _html_table(columns: list[str], rows: list[list[str]]) -> str:
    style = "padding:1px 12px 1px 0;text-align:left;white-space:nowrap"
    head = "".join(f'<th style="{style}">{html.escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="line-height:1.5"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _short(text: str) -> str:
    """As much of the text as the column is wide; the whole stands in its tool tip."""
    style = "display:block;max-width:36em;overflow:hidden;text-overflow:ellipsis"
    return f'<span style="{style}" title="{html.escape(text)}">{html.escape(text)}</span>'


def _bar(share: float, label: str) -> str:
    """A number with a bar of that length beside it; its column keeps its width."""
    number = f'<span style="display:inline-block;width:3.6em">{label}</span>'
    bar = f'<span style="display:block;height:9px;width:{share:.1%};background:{BLUE}"></span>'
    return f'{number}<span style="display:inline-block;width:70px">{bar}</span>'


def _verdict(word: str) -> str:
    """Right or wrong, told by a sign as well as by a word, never by colour alone."""
    sign = "✓" if word == t("slider.right") else "✗"
    return f"{sign} {html.escape(word)}"
