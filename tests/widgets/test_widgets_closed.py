"""A cell that is run again: its former slider is closed, and nothing piles up."""

import gc
import weakref
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from made_up import made_up_costs, made_up_cuts, made_up_trace
from matplotlib.figure import Figure
from nbclient import NotebookClient
from tiny import tiny_corpus, tiny_fastbert, tiny_tokenizer

from course_lib.paths import ROOT
from course_lib.widgets import DepthSlider, DropRateSlider, SpeedSlider, former

TRACE, CUTS = made_up_trace(classes=3), made_up_cuts()
TEXTS, NAMES = [f"sentence {number}" for number in range(200)], ["negative", "positive", "neutral"]
SLIDERS = {  # what makes it, and two values of what moves it
    "speed": (lambda: SpeedSlider(TRACE, TEXTS, NAMES), "speed", (0.2, 0.8)),
    "drop rate": (lambda: DropRateSlider(CUTS), "rate", (0.2, 0.5)),
    "depth": (lambda: DepthSlider(CUTS[CUTS["study"] != "half"], made_up_costs()), "keep", (2, 6)),
}


@pytest.fixture(params=SLIDERS)
def kind(request):
    return SLIDERS[request.param]


@pytest.fixture
def notebook(monkeypatch):
    """notebook(cell, run): from here on that run of that cell makes the widgets."""
    asked = {}

    def running(cell, run, cell_id=True):
        asked["now"] = {"header": {"msg_id": run}, "content": {"code": f"code of {cell}"}}
        asked["now"]["metadata"] = {"cellId": cell} if cell_id else {}

    shell = SimpleNamespace(get_parent=lambda: asked["now"])
    monkeypatch.setattr(former, "get_ipython", lambda: shell)
    monkeypatch.setattr(former, "_open", {})
    return running


def is_open(box) -> bool:
    return box.comm is not None


def figures() -> int:
    gc.collect()
    return sum(type(thing) is Figure for thing in gc.get_objects())


def test_made_again_and_again_neither_widgets_nor_figures_pile_up(kind):
    make, name, values = kind
    make()
    widgets, drawn = len(_instances), figures()
    for _ in range(5):
        box = make()
        for value in values:
            getattr(box, name).value = value
    assert len(_instances) == widgets and figures() == drawn


def test_the_former_slider_is_closed_with_all_that_belongs_to_it(kind):
    make, *_ = kind
    box = make()
    figure = weakref.ref(box.picture.figure)
    belonging = [box, *former.widgets_below(box)]
    assert len(belonging) > 6 and all(each.model_id in _instances for each in belonging)
    latest = make()
    assert not any(map(is_open, belonging)) and is_open(latest)
    assert not {id(each) for each in belonging} & {id(each) for each in _instances.values()}
    assert figure() is None


def test_a_slider_with_a_box_to_type_in_is_closed_whole():
    tokenizer = tiny_tokenizer(tiny_corpus())
    model = tiny_fastbert(2, num_labels=2, vocab_size=len(tokenizer))
    box = SpeedSlider(TRACE, TEXTS, NAMES, model, tokenizer)
    before = len(_instances)
    for _ in range(3):
        box = SpeedSlider(TRACE, TEXTS, NAMES, model, tokenizer)
    assert len(_instances) == before and is_open(box.box)


def test_what_is_closed_can_still_be_asked_in_python(kind):
    make, name, values = kind
    box = make()
    getattr(box, name).value = values[0]
    before, state = box.image.value, box.state.value
    make()
    getattr(box, name).value = values[1]
    assert box.image.value != before and box.state.value != state
    getattr(box, name).value = values[0]
    assert box.image.value == before and box.state.value == state
    assert box.static_now().get_label()


def test_one_kind_closes_no_other():
    boxes = [make() for make, *_ in SLIDERS.values()]
    assert all(map(is_open, boxes))


@pytest.mark.parametrize("cell_id", [True, False])
def test_in_a_notebook_a_cell_closes_its_own_former_sliders_only(kind, notebook, cell_id):
    """Where the front end does not tell the cell's number, its code tells it."""
    make, *_ = kind
    notebook("worlds", "run 1", cell_id)
    worlds = make()
    notebook("reviews", "run 2", cell_id)
    side_by_side = [make(), make()]
    assert is_open(worlds) and all(map(is_open, side_by_side))
    notebook("worlds", "run 3", cell_id)
    again = make()
    assert not is_open(worlds) and is_open(again) and all(map(is_open, side_by_side))
    notebook("reviews", "run 4", cell_id)
    make()
    assert not any(map(is_open, side_by_side)) and is_open(again)


def test_a_cell_that_was_edited_closes_what_it_made_before(kind, notebook, monkeypatch):
    make, *_ = kind
    notebook("cell", "run 1")
    box = make()
    message = former.get_ipython().get_parent()
    message["content"]["code"], message["header"]["msg_id"] = "other code", "run 2"
    make()
    assert not is_open(box)


def test_in_a_real_kernel():
    """The cells of lesson 03: two speed sliders live side by side; the first one's cell is run twice."""
    first = (
        "import numpy as np\nfrom made_up import made_up_trace\nfrom course_lib.widgets import SpeedSlider\n"
        "trace = made_up_trace()\n"
        "worlds = SpeedSlider(trace, [''] * 200, ['no', 'yes'])\nmade = globals().get('made', []) + [worlds]"
    )
    second = "reviews = SpeedSlider(trace, [''] * 200, ['no', 'yes'])\nmade.append(reviews)"
    check = "print([box.comm is not None for box in made])"
    cells = [first, second, check, first, check]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(ROOT / "tests")}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    assert [book.cells[number].outputs[0]["text"].strip() for number in (2, 4)] == [
        "[True, True]",
        "[False, True, True]",
    ]


def test_moving_costs_no_memory(kind):
    make, name, values = kind
    box = make()
    widgets, drawn = len(_instances), figures()
    for value in np.tile(values, 5).tolist():
        getattr(box, name).value = value
    assert len(_instances) == widgets and figures() == drawn
