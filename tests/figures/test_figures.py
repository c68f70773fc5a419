"""Figures show what the trace holds, in both languages, without a missing glyph."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from made_up import made_up_cuts, made_up_trace, made_up_windows
from PIL import Image

from course_lib import figures, style, words
from course_lib.figures.divergences import penalty
from course_lib.figures.drawn_layers import cells, draws
from course_lib.figures.pretraining_loss import recorded_losses
from course_lib.figures.studies import LOOKS, look, study_word
from course_lib.figures.trade_off import fixed_depths
from course_lib.measures.bench_length import LengthBench
from course_lib.measures.cuts import compare_cuts
from course_lib.measures.guarantee import coverage
from course_lib.measures.prices import Prices
from course_lib.measures.records import write_record

TRACE = made_up_trace()
WINDOWS = made_up_windows()
STEPS = np.arange(200) % 4 + 1
CUTS = made_up_cuts()
LOSSES = pd.DataFrame({"plain": [4.7, 5.5, 6.5], "layerdrop": [4.8, 5.0, 5.5]}, index=[12, 6, 2])
BY_STEPS = pd.DataFrame(np.linspace(0.1, 1.0, 12).reshape(4, 3), index=list("1234"), columns=[6, 4, 3])
CURVES = {"plain": np.linspace(0.86, 0.80, 29)[None], "layerdrop": np.linspace([0.85, 0.86], 0.82, 29).T}
LENGTHS = [LengthBench(64 * 2**n, 2.5**n, (2.4**n, 2.6**n), 2.2**n, 2.0**n, 0.1, 5) for n in range(6)]
PARTS = {
    "a": {"embeddings": 500, "layers": 400, "heads": 100},
    "b": {"embeddings": 50, "layers": 900, "heads": 50},
}
PRICES = {
    "whole": Prices(100, 1e6, 4.0, 12, 1.0, 1.0, 1.0, 5),
    "exits": Prices(103, 2e5, 1.0, 2.5, 100 / 103, 5.0, 4.0, 5),
    "cut": Prices(60, 5e5, 2.2, 6, 100 / 60, 2.0, 1.82, 5),
}
ANSWERS = {"好": np.linspace(0.9, 0.95, 6), "坏": np.linspace(0.5, 0.1, 6)}
LONG_RUN = [
    {"phases": [{"layers": 3, "history": [{"step": 10, "loss": 8.0}, {"step": 20, "loss": 7.0}]}]},
    {"phases": [{"layers": 12, "history": [{"step": 5, "loss": 6.5}, {"step": 30, "loss": 5.0}]}]},
]
LIVE = [{"step": step, "loss": 9.0 - step / 10} for step in range(1, 11)]
STUDENTS = {"untrained": np.linspace(0.4, 0.9, 6), "reviews": np.linspace(0.8, 0.9, 6)}
DRAW = {
    "accuracy_by_exit": lambda: figures.accuracy_by_exit(TRACE),
    "accuracy_by_kept": lambda: figures.accuracy_by_kept(CUTS),
    "accuracy_by_steps": lambda: figures.accuracy_by_steps(TRACE, STEPS),
    "accuracy_by_uncertainty": lambda: figures.accuracy_by_uncertainty(TRACE, [1, 3, 6]),
    "divergences": figures.divergences,
    "exit_layer_by_steps": lambda: figures.exit_layer_by_steps(TRACE, STEPS, 0.5),
    "kept_promises": lambda: figures.kept_promises(coverage(TRACE, 0.05, texts=100, draws=50)),
    "layer_by_layer": lambda: figures.layer_by_layer(ANSWERS, {"好": 1, "坏": 6}),
    "layerdrop_schematic": figures.layerdrop_schematic,
    "lightweight_schematic": figures.lightweight_schematic,
    "layer_histogram": lambda: figures.layer_histogram(TRACE, 0.5),
    "masked_loss_by_kept": lambda: figures.masked_loss_by_kept(LOSSES),
    "pretraining_loss": lambda: figures.pretraining_loss(LONG_RUN, LIVE, 8000),
    "price_bars": lambda: figures.price_bars(PRICES),
    "stages_schematic": figures.stages_schematic,
    "steps_by_layers_kept": lambda: figures.steps_by_layers_kept({"plain": BY_STEPS, "layerdrop": BY_STEPS}),
    "time_by_length": lambda: figures.time_by_length(LENGTHS),
    "trade_off": lambda: figures.trade_off(TRACE),
    "trade_off_at": lambda: figures.trade_off(TRACE, 0.5),
    "trade_offs": lambda: figures.trade_offs(CURVES),
    "windows_by_layers": lambda: figures.windows_by_layers(WINDOWS, 3, 0.3, 0.5),
    "students_by_exit": lambda: figures.students_by_exit(STUDENTS),
    "training_draws": lambda: figures.training_draws(0.2, 6, 20, [6, 3]),
    "weight_shares": lambda: figures.weight_shares(PARTS),
}


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


@pytest.mark.parametrize("name", DRAW)
def test_a_figure_draws_without_a_warning_and_says_what_it_shows(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is a warning
        figure = DRAW[name]()
        data, metadata = style.mime_bundle(figure)
    picture = tmp_path / "figure.png"
    picture.write_bytes(data["image/png"])
    width, height = (metadata["image/png"][side] for side in ("width", "height"))
    assert Image.open(picture).size == (width * style.SCALE, height * style.SCALE)
    assert len(metadata["image/png"]["alt"]) > 8 and data["text/plain"] == metadata["image/png"]["alt"]


@pytest.mark.parametrize("name", [name for name in DRAW if not name.endswith("schematic")])
def test_the_axes_are_named(name):
    figure = DRAW[name]()
    lowest = [axes for axes in figure.axes if axes.get_subplotspec() and axes.get_subplotspec().is_last_row()]
    assert lowest and lowest[0].get_xlabel()
    assert all(axes.get_ylabel() for axes in figure.axes)


def test_the_same_figure_gives_the_same_bytes():
    assert style.png(figures.trade_off(TRACE, 0.5)) == style.png(figures.trade_off(TRACE, 0.5))


def test_accuracy_by_exit_shows_the_traces_accuracies():
    axes = figures.accuracy_by_exit(TRACE).axes[0]
    exits = [line for line in axes.lines if len(line.get_xdata()) == 6]
    np.testing.assert_allclose(exits[0].get_ydata(), TRACE.accuracy_by_layer)


@pytest.mark.parametrize("speed", [0.0, 0.5, 1.0])
def test_the_histograms_bars_are_the_traces_shares(speed):
    axes = figures.layer_histogram(TRACE, speed).axes[0]
    heights = np.array([bar.get_height() for bar in axes.patches])
    np.testing.assert_allclose(heights * len(TRACE.labels), TRACE.at(speed).histogram)
    assert heights.sum() == pytest.approx(1)


def test_the_point_on_the_trade_off_is_the_traces():
    axes = figures.trade_off(TRACE, 0.4).axes[0]
    x, y = axes.lines[-1].get_data()
    assert (x[0], y[0]) == (TRACE.at(0.4).flops_speedup, TRACE.at(0.4).accuracy)


def test_a_network_cut_after_its_last_layer_is_the_plain_model():
    accuracy, speedup = fixed_depths(TRACE)
    assert speedup[-1] == pytest.approx(1) and accuracy[-1] == TRACE.at(0.0).accuracy
    assert (np.diff(speedup) < 0).all()


def test_the_tables_by_steps_agree_with_the_trace():
    table = figures.accuracy_table(TRACE, STEPS)
    assert table.shape == (4, 6)
    np.testing.assert_allclose(table.mean(0), TRACE.accuracy_by_layer)  # 50 worlds each
    means = figures.mean_exit_layers(TRACE, STEPS, 0.5)
    assert means.mean() == pytest.approx(TRACE.at(0.5).mean_layer)


def test_a_title_states_the_finding_of_its_trace(language):
    title = figures.accuracy_by_exit(TRACE).axes[0].get_title(loc="left")
    assert f"{TRACE.accuracy_by_layer[0]:.1%}" in title and f"{TRACE.accuracy_by_layer[-1]:.1%}" in title


def test_the_font_comes_with_a_package_and_has_what_we_write():
    from matplotlib.ft2font import FT2Font

    style.apply()
    font = FT2Font(str(style.font_file()))
    text = "".join(entry[language] for entry in words.catalogue().values() for language in words.LANGUAGES)
    figure_text = {character for character in text if character not in "✓✗\n"}  # these stand in HTML only
    missing = [
        character for character in figure_text | {"\u2212"} if font.get_char_index(ord(character)) == 0
    ]
    assert not missing


# --- LayerDrop -------------------------------------------------------------------------------------


def test_the_same_coins_at_every_rate():
    rates = (0.0, 0.2, 0.5, 0.9)
    for many, few in pairwise(draws(rate, 12, 400) for rate in rates):
        others = few.sum(1) > 1  # where all coins say drop, one layer is spared
        assert not (few & ~many)[others].any(), "what runs at a high rate runs at a lower one"
    many = draws(0.2, 12, 400)
    assert many.mean() == pytest.approx(0.8, abs=0.02) and draws(0.0, 12, 5).all()


def test_the_squares_that_run_are_filled():
    runs = draws(0.5, 12, 50)
    squares = cells(runs.T)
    assert squares.shape == (120, 500)  # ten dots a square, the outermost of them gap
    np.testing.assert_array_equal(squares[5::10, 5::10], runs.T)
    for rim in (0, 9):
        assert (squares[rim::10] == -1).all() and (squares[:, rim::10] == -1).all()


def test_accuracy_by_kept_shows_the_means_and_every_seed():
    axes = figures.accuracy_by_kept(CUTS, "first").axes[0]
    rows = CUTS[(CUTS["study"] == "half") & (CUTS["way"] == "first")]
    means = rows.groupby("keep")["accuracy"].mean()
    labels = [line.get_label() for line in axes.lines]
    line = labels.index(words.t("study.half"))
    np.testing.assert_allclose(axes.lines[line].get_ydata(), means)
    assert axes.lines[line].get_xdata().tolist() == means.index.tolist()
    np.testing.assert_allclose(axes.lines[line + 1].get_ydata(), rows["accuracy"])


def test_the_title_of_a_cut_says_what_seeds_can_tell():
    alike = CUTS.assign(accuracy=np.where(CUTS["study"] == "plain", 0.7, 0.8) + 0.01 * CUTS["seed"])
    assert figures.accuracy_by_kept(alike).get_label() == words.t(
        "figure.accuracy_by_kept_clear", keep=6, mean=10, low=10, high=10
    )
    luck = np.where(CUTS["seed"] == 1, -0.1, 0.1) * (CUTS["study"] == "layerdrop")
    gain = compare_cuts(CUTS.assign(accuracy=0.7 + luck), 6, "layerdrop", "plain")
    points = {name: 100 * getattr(gain, name) for name in ("mean", "low", "high")}
    title = figures.accuracy_by_kept(CUTS.assign(accuracy=0.7 + luck)).get_label()
    assert title == words.t("figure.accuracy_by_kept_open", keep=6, **points) and gain.low < 0 < gain.high


def test_looks_of_the_course_and_of_others():
    assert (
        look("pruning-layerdrop")
        == look("layerdrop")
        == LOOKS["layerdrop"] | {"label": words.t("study.layerdrop")}
    )
    mine, others = look("mine"), look("pruning-others")
    assert mine["label"] == "mine" and others["label"] == "pruning-others"
    assert study_word("pruning-small") == words.t("study.small")
    used = [*LOOKS.values(), mine, others]
    assert len({each["color"] for each in used}) == len({each["marker"] for each in used}) == 5
    assert look("mine") == mine and look("others")["color"] == others["color"], "asked again, it stays"


def test_trade_offs_compares_at_four_times():
    assert figures.at_saving(CURVES["plain"], 1.0).tolist() == [0.86]
    title = figures.trade_offs(CURVES).get_label()
    points = 100 * (
        figures.at_saving(CURVES["layerdrop"], 4).mean() - figures.at_saving(CURVES["plain"], 4)[0]
    )
    assert f"{points:+.2f}" in title


def worlds_record(seed, shares):
    """A network that is right on `shares[keep]` of the worlds with 1 step, and on half as many with 2."""
    cut = {str(keep): {"accuracy_by_steps": {"1": share, "2": share / 2}} for keep, share in shares.items()}
    return {"seed": seed, "metrics": {"cut": cut}}


def test_cuts_by_steps_are_means_over_the_seeds(tmp_path):
    write_record("w-seed1", worlds_record(1, {6: 1.0, 4: 0.8}), tmp_path)
    write_record("w-seed2", worlds_record(2, {6: 0.8, 4: 0.2}), tmp_path)
    table = figures.cut_by_steps("w", tmp_path)
    assert table.columns.tolist() == [6, 4] and table.index.tolist() == ["1", "2"]
    np.testing.assert_allclose(table, [[0.9, 0.5], [0.45, 0.25]])
    write_record("w-seed3", worlds_record(3, {6: 0.8, 3: 0.2}), tmp_path)
    with pytest.raises(ValueError, match="seeds of 'w' were cut to different numbers of layers"):
        figures.cut_by_steps("w", tmp_path)


def test_networks_that_end_early_are_means_over_the_seeds(tmp_path):
    for seed, last in ((1, 1.0), (2, 0.6)):
        by_steps = {"1": {"accuracy_by_layer": [0.5, last]}, "2": {"accuracy_by_layer": [0.1, last / 2]}}
        write_record(f"w-seed{seed}", {"seed": seed, "metrics": {"by_steps": by_steps}}, tmp_path)
    table = figures.first_by_steps("w", tmp_path)
    assert table.columns.tolist() == [1, 2] and table.index.tolist() == ["1", "2"]
    np.testing.assert_allclose(table, [[0.5, 0.8], [0.1, 0.4]])


def test_curves_meet_where_the_records_were_measured(tmp_path):
    for seed, best in ((1, 0.9), (2, 0.8)):
        curve = {"flops_speedup": [1.0, 4.0, 8.0], "accuracy": [best, best - 0.1, best - 0.3]}
        write_record(f"f-seed{seed}", {"seed": seed, "metrics": {"tradeoff": curve}}, tmp_path)
    curves = figures.curve_of("f", tmp_path)
    assert curves.shape == (2, 29)
    for saving, lost in ((1, 0.0), (4, 0.1), (6, 0.2), (8, 0.3)):
        np.testing.assert_allclose(figures.at_saving(curves, saving), [0.9 - lost, 0.8 - lost])


def test_the_frames_are_what_is_computed():
    figure = figures.windows_by_layers(WINDOWS, 3, 0.3, 0.5)
    layers = WINDOWS.at(0.3, 0.5).exit_layer[WINDOWS.document == 3]
    assert [patch.get_height() for patch in figure.axes[0].patches] == [each for each in layers if each]
    with pytest.raises(ValueError, match=r"document must lie in 0\.\.39, not 40"):
        figures.windows_by_layers(WINDOWS, 40, 0.3, 0.5)


# --- lessons 01 and 02 -----------------------------------------------------------------------------


def test_shares_of_weights_fill_each_bar():
    axes = figures.weight_shares(PARTS).axes[0]
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(3, 2)  # [parts, networks]
    np.testing.assert_allclose(widths.sum(0), 1)
    np.testing.assert_allclose(widths[:, 0], [0.5, 0.4, 0.1])


def test_price_bars_stand_for_the_prices():
    heights = [bar.get_height() for bar in figures.price_bars(PRICES).axes[0].patches]
    exits = heights[3:6]
    assert heights[:3] == [100, 100, 100] and exits == pytest.approx([103, 20, 25])


def test_a_sentence_is_marked_where_it_leaves():
    lines = figures.layer_by_layer(ANSWERS, {"好": 1, "坏": 6}).axes[0].lines
    marked = {line.get_label(): line.get_data() for line in lines if line.get_label() in ANSWERS}
    assert marked["好"][0] == 1 and marked["坏"][0] == 6 and marked["坏"][1] == pytest.approx(0.1)


def test_steps_of_a_long_run_are_counted_on():
    (_, first, _), (layers, second, losses) = recorded_losses(LONG_RUN)
    assert first.tolist() == [10, 20] and second.tolist() == [25, 50]
    assert layers == 12 and losses.tolist() == [6.5, 5.0]
    title = figures.pretraining_loss(LONG_RUN, LIVE, 8000).axes[0].get_title(loc="left")
    assert "8.00" in title and "5.00" in title and "50" in title


def test_penalties_are_the_divergences_of_two_classes():
    assert penalty(0.6, 0.9, "student||teacher") == pytest.approx(0.6 * np.log(0.6 / 0.9) + 0.4 * np.log(4))
    assert penalty(0.6, 0.9, "teacher||student") == pytest.approx(0.9 * np.log(1.5) + 0.1 * np.log(0.25))
    assert penalty(0.3, 0.3, "student||teacher") == pytest.approx(0, abs=1e-9)


def test_students_are_averaged_without_their_teacher():
    title = figures.students_by_exit(STUDENTS).axes[0].get_title(loc="left")
    assert (
        f"{STUDENTS['untrained'][:-1].mean():.0%}" in title
        and f"{STUDENTS['reviews'][:-1].mean():.0%}" in title
    )


def test_draws_and_cuts_are_those_of_the_library():
    left, right = figures.training_draws(0.2, 6, 20, [6, 3]).axes
    drawn = left.images[0].get_array()[5::10, 5::10]
    np.testing.assert_array_equal(drawn, draws(0.2, 6, 20).T)
    kept = right.images[0].get_array()[5::10, 5::10]
    assert kept.sum(0).tolist() == [6, 3]
