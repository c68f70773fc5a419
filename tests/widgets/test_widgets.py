"""The three sliders, moved by their values as a notebook's test cell moves them."""

import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from made_up import made_up_costs, made_up_cuts, made_up_trace
from PIL import Image
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib import style, words
from course_lib.figures import studies
from course_lib.figures.drawn_layers import draws
from course_lib.measures.cuts import STRATEGIES, compare_cuts
from course_lib.measures.guarantee import guaranteed_speed, spoilt_answers
from course_lib.tables.equal_cost import points
from course_lib.widgets import DepthSlider, DropRateSlider, PromiseSlider, SpeedSlider, easy_to_hard

TRACE = made_up_trace(classes=3)
TEXTS = [f"sentence <{number}> & more" for number in range(200)]
NAMES = ["negative", "positive", "Tom/小明"]


@pytest.fixture(params=words.LANGUAGES, autouse=True)
def language(request):
    words.use(request.param)
    yield request.param
    words.use(None)


@pytest.fixture
def slider():
    return SpeedSlider(TRACE, TEXTS, NAMES)


def pixels(slider) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(slider.image.value)).convert("RGB"), dtype=int)


# --- what all three have in common -----------------------------------------------------------------

CUTS = made_up_cuts()
SLIDERS = {  # name: what makes it, the slider's name, both ends and the middle
    "speed": (lambda: SpeedSlider(TRACE, TEXTS, NAMES), "speed", (0.0, 0.5, 1.0)),
    "drop rate": (lambda: DropRateSlider(CUTS), "rate", (0.0, 0.5, 0.9)),
    "depth": (lambda: DepthSlider(CUTS[CUTS["study"] != "half"], made_up_costs()), "keep", (2, 6, 12)),
    "promise": (lambda: PromiseSlider(TRACE, made_up_trace(classes=3, seed=1)), "most", (0.25, 5.0, 10.0)),
}


@pytest.fixture(params=SLIDERS)
def any_slider(request):
    """A slider, what moves it, and its two ends and middle."""
    make, name, values = SLIDERS[request.param]
    box = make()
    return box, getattr(box, name), values


def test_every_move_gives_another_picture_of_the_same_size(any_slider):
    box, handle, values = any_slider
    pictures = []
    for value in values:
        handle.value = value
        pictures.append(pixels(box))
    assert len({picture.shape for picture in pictures}) == 1
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert (pictures[one] != pictures[other]).any()


def test_a_move_back_gives_the_first_picture_again(any_slider):
    box, handle, values = any_slider
    handle.value = values[1]
    before = box.image.value
    handle.value = values[2]
    assert box.image.value != before
    handle.value = values[1]
    assert box.image.value == before


def test_only_what_is_inside_the_charts_moves(any_slider):
    """Fixed axes: labels and frame (the outer margin) stay to the pixel."""
    box, handle, values = any_slider
    handle.value = values[0]
    left = pixels(box)
    handle.value = values[2]
    right = pixels(box)
    np.testing.assert_array_equal(left[-60:], right[-60:])
    np.testing.assert_array_equal(left[:, :60], right[:, :60])


def test_the_two_charts_fill_the_picture(any_slider):
    box, handle, values = any_slider
    for value in values:
        handle.value = value
        static = box.static_now()
        static.draw_without_rendering()  # lays it out
        for figure in (box.picture.figure, static):
            left, right = (axes.get_position() for axes in figure.axes)
            assert min(left.width, right.width) > 0.35 and min(left.height, right.height) > 0.5


def test_the_smallest_letters_can_be_read_from_the_last_row(any_slider):
    """At least 18 dots high at the size that is shown."""
    figure = any_slider[0].static_now()
    for axes in figure.axes:
        letters = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]
        letters += axes.get_legend().get_texts() if axes.get_legend() else []
        assert min(each.get_fontsize() for each in letters) * style.DOTS / 72 >= 18


def test_no_letters_stand_outside_the_picture_or_in_each_others_way(any_slider):
    figure = any_slider[0].static_now()
    figure.draw_without_rendering()
    boxes = [axes.title for axes in figure.axes] + [axes._left_title for axes in figure.axes]
    boxes = [each.get_window_extent() for each in boxes if each.get_text()]
    boxes.sort(key=lambda box: box.x0)
    assert boxes[-1].x1 <= figure.bbox.x1 and all(one.x1 < two.x0 for one, two in pairwise(boxes))


def test_squares_stand_beside_their_labels():
    """The middle of what is filled is where the tick is."""
    image = DepthSlider(CUTS[CUTS["study"] != "half"], made_up_costs()).picture.image
    filled = np.array(image.get_array()) > 0
    left, right, bottom, top = image.get_extent()
    for axis, low, high in ((1, bottom, top), (0, left, right)):
        line = filled.any(axis)  # along the axis: filled or gap
        places = low + (np.arange(len(line)) + 0.5) * (high - low) / len(line)
        numbers = np.rint(places[line])
        middles = [places[line][numbers == number].mean() for number in np.unique(numbers)]
        np.testing.assert_allclose(middles, np.unique(numbers))


def test_the_background_of_the_picture_is_white(any_slider):
    """Its palette is fixed, and must not tint what it doesn't hold exactly."""
    assert (pixels(any_slider[0])[0, 0] == 255).all()


def test_without_a_kernel_the_output_still_has_picture_and_words(any_slider):
    data, metadata = any_slider[0]._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] and "<" not in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize(
    "make", [DropRateSlider, lambda table: DepthSlider(table, made_up_costs())], ids=["drop rate", "depth"]
)
def test_a_readers_own_studies_have_names_and_looks(make):
    """Exercise 5 makes two; and a study may be named by its whole recipe."""
    names = {"plain": "my-first", "layerdrop": "my <second>", "half": "pruning-layerdrop"}
    box = make(CUTS.assign(study=CUTS["study"].map(names)))
    right = box.picture.figure.axes[1]
    legend = right.get_legend()
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["my-first", "my <second>", words.t("study.layerdrop")]
    looks = [studies.look(name) for name in names.values()]
    shown = {line.get_label(): line for line in right.lines}
    for each in looks:
        assert shown[each["label"]].get_color() == each["color"]
        assert shown[each["label"]].get_marker() == each["marker"]
    assert len({each["color"] for each in looks}) == len({each["marker"] for each in looks}) == 3
    assert box.static_now().get_label()


# --- the speed slider ------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [0.0, 0.25, 0.5, 1.0])
def test_the_bars_hold_all_sentences_and_agree_with_the_trace(slider, speed):
    slider.speed.value = speed
    heights = np.array([bar.get_height() for bar in slider.picture.bars])
    exits = TRACE.at(speed)
    np.testing.assert_allclose(heights * len(TEXTS), exits.histogram)
    assert exits.histogram.sum() == len(TEXTS)
    assert slider.picture.point.get_xdata()[0] == exits.flops_speedup
    assert slider.picture.point.get_ydata()[0] == exits.accuracy


@pytest.mark.parametrize("speed", [0.0, 0.5, 1.0])
def test_the_table_agrees_with_the_trace(slider, speed):
    table, exits = slider.table(speed), TRACE.at(speed)
    assert len(table) == 8
    assert table.iloc[:, 0].tolist() == [TEXTS[number] for number in slider.shown]
    assert table.iloc[:, 1].tolist() == exits.exit_layer[slider.shown].tolist()
    right = (exits.predictions == TRACE.labels)[slider.shown]
    assert (table.iloc[:, 3] == words.t("slider.right")).tolist() == right.tolist()


def test_the_state_tells_accuracy_layers_and_flops_together(slider):
    slider.speed.value = 0.7
    exits = TRACE.at(0.7)
    for shown in (f"{exits.accuracy:.1%}", f"{exits.mean_layer:.2f}", f"{exits.flops_speedup:.2f}×"):
        assert shown in slider.state.value


def test_texts_are_shown_as_text_and_not_as_html(slider):
    assert "&lt;" in slider.sentences.value and "<0>" not in slider.sentences.value


def test_sentences_go_from_easy_to_hard_and_keep_to_those_allowed():
    shown = easy_to_hard(TRACE, among=range(0, 200, 2), rows=5)
    doubt = TRACE.uncertainties[:, shown].mean(0)
    assert len(shown) == 5 and all(number % 2 == 0 for number in shown)
    assert (np.diff(doubt) >= 0).all()


@pytest.mark.parametrize("measure", ["entropy", "max_probability"])
def test_a_typed_sentence_shows_every_layers_answer(language, measure):
    corpus = tiny_corpus()
    model, tokenizer = tiny_fastbert(num_hidden_layers=4, num_labels=2), tiny_tokenizer(corpus)
    slider = SpeedSlider(replace(TRACE, measure=measure), TEXTS, NAMES, model, tokenizer)
    slider.box.value = corpus["test"]["text"][0]
    assert slider.layers.value.count("<tr>") == 1 + 4  # the heading and 4 exits
    for speed in (0.0, 0.5, 1.0):
        slider.speed.value = speed
        ids = tokenizer(slider.box.value, return_tensors="pt")["input_ids"]
        leaves = model.predict(ids, speed=speed, measure=measure).exit_layer.item()
        assert f"<b>{leaves}</b>" in slider.layers.value
        assert slider.layers.value.count(words.t("slider.leaves_here")) == 1


def test_a_typed_sentence_is_warned_about_when_the_model_cannot_read_it():
    corpus = tiny_corpus()
    slider = SpeedSlider(TRACE, TEXTS, NAMES, tiny_fastbert(num_labels=2), tiny_tokenizer(corpus))
    slider.box.value = "Ω"
    assert slider.notice.value == words.t("slider.unknown", unknown=1, tokens=1)
    slider.box.value = corpus["test"]["text"][0] * 30
    assert words.t("slider.cut", tokens=22) in slider.notice.value
    slider.box.value = "  "
    assert slider.notice.value == words.t("slider.empty") and slider.layers.value == ""


def test_the_words_in_place_of_the_picture_tell_the_accuracy(slider):
    assert f"{TRACE.at(0.5).accuracy:.1%}" in slider._repr_mimebundle_()[0]["text/plain"]


def test_static_gives_the_picture_at_any_speed(slider):
    assert f"{TRACE.at(0.2).mean_layer:.2f}" in slider.static(0.2).get_label()


def test_texts_of_another_split_are_refused():
    with pytest.raises(ValueError, match="3 texts, but the trace has 200"):
        SpeedSlider(TRACE, TEXTS[:3], NAMES)


# --- the drop-rate slider --------------------------------------------------------------------------


@pytest.fixture
def drop_rate():
    return DropRateSlider(CUTS)


def test_every_drop_rate_has_its_picture_and_its_expectation(drop_rate):
    pictures = set()
    for rate in (0.0, 0.45, 0.9):
        drop_rate.rate.value = rate
        pictures.add(drop_rate.image.value)
        expected = draws(rate, 12, 20_000).sum(1).mean()  # with the one layer that is always spared
        shown = float(re.search(r"<b>([0-9.]+)</b>", drop_rate.state.value)[1])
        assert shown == pytest.approx(expected, abs=0.1)
        assert f"{drop_rate.runs(rate).sum(1).mean():.1f}" in drop_rate.state.value
    assert len(pictures) == 3 and (pixels(drop_rate)[0, 0] == 255).all()


def test_a_rate_that_a_network_was_trained_at_is_picked_out(drop_rate):
    drop_rate.rate.value = 0.2
    rows = CUTS[(CUTS["rate"] == 0.2) & (CUTS["way"] == "every_other")]
    means = rows.groupby("keep")["accuracy"].mean()
    np.testing.assert_allclose(drop_rate.picture.line.get_ydata(), means)
    assert all(f"<b>{mean:.1%}</b>" in drop_rate.state.value for mean in means)
    drop_rate.rate.value = 0.3
    assert len(drop_rate.picture.line.get_ydata()) == 0
    assert (
        words.t("drop_rate.untrained", measured=words.t("list.comma").join(["0", "0.2", "0.5"]))
        in drop_rate.state.value
    )


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.9])
def test_the_mean_line_stands_where_the_axis_calls_the_mean(drop_rate, rate):
    drop_rate.rate.value = rate
    assert set(drop_rate.picture.mean.get_ydata()) == {drop_rate.runs(rate).sum(1).mean()}


# --- the depth slider ------------------------------------------------------------------------------


@pytest.fixture
def depth():
    return DepthSlider(CUTS[CUTS["study"] != "half"], made_up_costs())


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("keep", [2, 6, 12])
def test_every_depth_shows_what_the_table_holds(depth, keep, strategy):
    depth.keep.value, depth.strategy.value = keep, strategy
    found = depth.figures(keep, strategy)
    for study, row in found.iterrows():
        rows = CUTS[(CUTS["study"] == study) & (CUTS["way"] == strategy) & (CUTS["keep"] == keep)]
        assert row["accuracy"] == pytest.approx(rows["accuracy"].mean())
        assert row["flops"] == pytest.approx(12 / keep)
        assert f"<b>{row['accuracy']:.1%}</b>" in depth.state.value
    assert depth.picture.points.get_ydata() == pytest.approx(found["accuracy"].tolist())
    np.testing.assert_allclose(depth.shares(keep, strategy).sum(0), keep)
    assert points(compare_cuts(CUTS, keep, "layerdrop", "plain", strategy)) in depth.state.value


def test_parameters_are_the_tables_and_time_is_the_costs():
    """The clock may have run on another network, with exits or without."""
    table = CUTS[CUTS["study"] != "half"].copy()
    table["parameters"] += 10**6 * (1 + (table["study"] == "layerdrop"))
    found = DepthSlider(table, made_up_costs()).figures(6, "first")
    assert found["parameters"].to_dict() == {"plain": 8_000_000, "layerdrop": 9_000_000}
    [cost] = [cost for cost in made_up_costs() if cost.keep == 6]
    assert (found["milliseconds"] == cost.milliseconds).all() and (found["speedup"] == cost.speedup).all()


def test_layers_that_only_some_seeds_keep_are_paler(depth):
    shares = depth.shares(2, "search")[:, 0]
    np.testing.assert_allclose(shares[:4], [1 / 3, 2 / 3, 2 / 3, 1 / 3])
    assert set(depth.shares(6, "every_other")[:, 0]) == {0.0, 1.0}


def test_every_depth_has_its_picture(depth):
    pictures = set()
    for keep in depth.keeps:
        depth.keep.value = keep
        pictures.add(depth.image.value)
    assert len(pictures) == len(depth.keeps) == 5


def test_depths_without_costs_are_refused():
    with pytest.raises(ValueError, match=r"costs lack the depths \[2, 3\]"):
        DepthSlider(CUTS, made_up_costs((12, 9, 6)))


# --- the promise slider ----------------------------------------------------------------------------


def test_the_promise_slider_says_what_its_speed_spoils_and_saves_on_other_texts():
    test = made_up_trace(classes=3, seed=1)
    box = PromiseSlider(TRACE, test, most=0.05)
    speed = guaranteed_speed(TRACE, 0.05).speed
    exits, spoilt = test.at(speed), spoilt_answers(test, speed).mean()
    assert 0 < speed < 1
    for part in (f"{speed:.2f}", f"{spoilt:.2%}", f"{exits.accuracy:.1%}", f"{exits.flops_speedup:.2f}"):
        assert part in box.state.value


def test_a_bolder_promise_allows_no_slower_speed():
    box = PromiseSlider(TRACE, made_up_trace(classes=3, seed=1))
    speeds = [box.speed(most) for most in (0.0025, 0.02, 0.05, 0.1)]
    assert speeds == sorted(speeds) and speeds[0] < speeds[-1]
