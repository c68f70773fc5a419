"""The depth slider: how many layers stay, which ones, and what the smaller network is worth."""

import html

import ipywidgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from course_lib.figures.by_layers_kept import name_axes
from course_lib.figures.drawn_layers import cells, draw_cells
from course_lib.figures.studies import look, study_word
from course_lib.measures.bench_depth import DepthBench
from course_lib.measures.cuts import STRATEGIES, compare_cuts, over_seeds
from course_lib.style import GREY, ORANGE, describe, new_figure, percent_axis
from course_lib.tables.equal_cost import points
from course_lib.widgets.parts import html_table
from course_lib.widgets.picture import HEIGHT, WIDTH, MovingPicture, PictureBox
from course_lib.words import t


class DepthSlider(PictureBox):
    """The slider for some studies of one network.

    Args:
        table: of `cuts.cut_table`: what each strategy keeps, and the accuracy that is left.
        costs: of `bench_depth`: FLOPs and milliseconds of the cut networks, on this machine. (It may be
            another network of the same depth and width; parameters are those of the table's networks.)
        keep, strategy: where it starts.
        classes: of the task; guessing is right on one in so many.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        costs: list[DepthBench],
        keep: int = 6,
        strategy: str = "every_other",
        classes: int = 2,
    ):
        self.table, self.classes = table, classes
        self.costs = {cost.keep: cost for cost in costs}
        self.studies = list(dict.fromkeys(table["study"]))
        self.keeps = sorted(table.loc[table["way"] == strategy, "keep"].unique().tolist())
        if missing := set(self.keeps) - set(self.costs):
            raise ValueError(f"costs lack the depths {sorted(missing)}; they have {sorted(self.costs)}")
        self.accuracy = over_seeds(table)

        wide = ipywidgets.Layout(width="520px")
        self.keep = ipywidgets.SelectionSlider(
            options=self.keeps,
            value=keep,
            description=t("depth.slider"),
            layout=wide,
            style={"description_width": "initial"},
        )
        self.strategy = ipywidgets.ToggleButtons(
            options=[(t(f"depth.{name}"), name) for name in STRATEGIES], value=strategy
        )
        self.image, self.state = self.new_image(), ipywidgets.HTML()
        super().__init__([self.keep, self.strategy, self.image, self.state])
        self.keep.observe(self._on_move, names="value")
        self.strategy.observe(self._on_move, names="value")
        self._on_move()

    def _on_move(self, _change=None) -> None:
        now = self.keep.value, self.strategy.value
        self.picture.move(*now)
        self.image.value = self.picture.png()
        self.state.value = self._state(*now)

    # --- what stands where -------------------------------------------------------------------------

    def shares(self, keep: int, strategy: str) -> np.ndarray:
        """In what share of the seeds a layer stays [L, studies]."""
        shares = np.zeros((max(self.keeps), len(self.studies)))
        rows = self.table[(self.table["way"] == strategy) & (self.table["keep"] == keep)]
        for column, study in enumerate(self.studies):
            chosen = rows.loc[rows["study"] == study, "layers"]
            for layers in chosen:
                shares[np.array(layers) - 1, column] += 1 / len(chosen)
        return shares

    def figures(self, keep: int, strategy: str) -> pd.DataFrame:
        """One row a study: mean accuracy, points lost, parameters, FLOPs, milliseconds."""
        cost, whole = self.costs[keep], self.costs[max(self.keeps)]
        parameters = self.table[self.table["keep"] == keep].groupby("study")["parameters"].first()
        rows = []
        for study in self.studies:
            mean = self.accuracy.loc[study, strategy, keep]["mean"]
            rows.append(
                {
                    "study": study,
                    "accuracy": mean,
                    "points": 100 * (mean - self.accuracy.loc[study, "whole", max(self.keeps)]["mean"]),
                    "parameters": parameters[study],
                    "flops": whole.flops / cost.flops,
                    "milliseconds": cost.milliseconds,
                    "speedup": cost.speedup,
                }
            )
        return pd.DataFrame(rows).set_index("study")

    def _state(self, keep: int, strategy: str) -> str:
        rows = []
        for study, found in self.figures(keep, strategy).iterrows():
            rows.append(
                [
                    html.escape(study_word(study)),
                    f"<b>{found['accuracy']:.1%}</b>",
                    f"{found['points']:+.1f}",
                    str(keep),
                    f"{found['parameters'] / 1e6:.2f} M",
                    f"{found['flops']:.2f}×",
                    f"{found['milliseconds']:.2f}",
                    f"{found['speedup']:.2f}×",
                ]
            )
        columns = ("network", "accuracy", "points", "layers", "parameters", "flops", "milliseconds", "clock")
        table = html_table([t(f"depth.column_{name}") for name in columns], rows)
        return table + "<br>".join(self._gains(keep, strategy))

    def _gains(self, keep: int, strategy: str) -> list[str]:
        """How far the other studies are ahead of the first, with the interval, in words."""
        first, *others = self.studies
        return [
            t(
                "depth.ahead",
                study=html.escape(study_word(study)),
                first=html.escape(study_word(first)),
                points=points(compare_cuts(self.table, keep, study, first, strategy)),
            )
            for study in others
        ]

    # --- for readers without a kernel --------------------------------------------------------------

    def new_picture(self) -> "_DepthPicture":
        return _DepthPicture(self)

    def static(self, keep: int, strategy: str) -> Figure:
        """The slider's picture for one choice, as a figure of its own."""
        picture = self.new_picture()
        picture.move(keep, strategy)
        parts = [
            t("depth.alt_part", study=study_word(study), accuracy=found["accuracy"])
            for study, found in self.figures(keep, strategy).iterrows()
        ]
        words = t(
            "depth.alt", keep=keep, strategy=t(f"depth.{strategy}"), parts=t("list.semicolon").join(parts)
        )
        return describe(picture.figure, words)

    def static_now(self) -> Figure:
        return self.static(self.keep.value, self.strategy.value)


class _DepthPicture(MovingPicture):
    """Left the layers that stay, network by network; right the strategy's lines, with a point on each."""

    def __init__(self, slider: DepthSlider):
        self.slider = slider
        figure, (left, right) = new_figure(WIDTH, HEIGHT, ncols=2)
        left.set_title(t("depth.title_layers"))
        right.set_title(t("depth.title_accuracy"))
        self.image = draw_cells(left, np.ones((max(slider.keeps), len(slider.studies))))
        left.set_xticks(range(1, len(slider.studies) + 1), [study_word(study) for study in slider.studies])
        left.set_ylabel(t("axis.layer"))

        right.axhline(1 / slider.classes, color=GREY, linestyle="--", linewidth=1)
        self.lines = {study: right.plot([], [], **look(study))[0] for study in slider.studies}
        (self.points,) = right.plot([], [], "o", color=ORANGE, markersize=11, zorder=5)
        right.legend(loc="center right")
        name_axes(right, slider.keeps)
        right.set_ylim(1 / slider.classes - 0.04, slider.table["accuracy"].max() + 0.03)
        right.set_ylabel(t("axis.accuracy"))
        percent_axis(right.yaxis)
        super().__init__(figure, [self.image, *self.lines.values(), self.points])

    def move(self, keep: int, strategy: str) -> None:
        """Fills the layers that stay, and puts the lines and points where this strategy has them."""
        slider = self.slider
        self.image.set_data(cells(slider.shares(keep, strategy)))
        means = {study: slider.accuracy.loc[study, strategy]["mean"].sort_index() for study in self.lines}
        for study, line in self.lines.items():
            line.set_data(means[study].index, means[study].to_numpy())
        self.points.set_data([keep] * len(means), [each[keep] for each in means.values()])
