"""What paper shows instead of a slider: the same picture as the lessons' widget, at its start."""

import numpy as np
from matplotlib.figure import Figure

from course_lib.decks.live import START, STUDIES, LiveData
from course_lib.measures.cuts import cut_table
from course_lib.measures.trace import load_traces
from course_lib.widgets.drop_rate import DropRateSlider
from course_lib.widgets.speed import SpeedSlider


def still(live: LiveData) -> Figure:
    """The slider's picture at its start, in the language in use."""
    if live.kind == "drop_rate":
        table = cut_table(*(f"{live.data}-{name}" for name in STUDIES))
        return DropRateSlider(table).static(START["drop_rate"])
    trace = load_traces(live.data, "test")[0]
    texts = [""] * len(trace.labels)  # the still shows none
    classes = [str(number) for number in np.unique(trace.labels)]
    return SpeedSlider(trace, texts, classes).static(START["speed"])
