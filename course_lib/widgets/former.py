"""The former slider of a cell that is run again: ipywidgets keeps every widget until it is closed.

With its picture a slider takes seven megabytes, and whoever tries things runs a cell dozens of times.
"""

import gc

import ipywidgets
from IPython import get_ipython

# By kind and cell: the run of the cell that came last, and the sliders that it made.
_open: dict[tuple[type, str | None], tuple[str | None, list[ipywidgets.Widget]]] = {}


def close_former(box: ipywidgets.Widget) -> None:
    """Closes the sliders of the same kind that an earlier run of the same cell made.

    One run may make several. Outside of a notebook there are no cells, and only the latest one stays open.
    """
    cell, run = _cell_and_run()
    last_run, boxes = _open.get((type(box), cell), (None, []))
    if boxes and (run is None or run != last_run):
        for former in boxes:
            former.close()
        gc.collect()  # a figure's parts hold one another; left to itself, Python lets dozens of them pile up
        boxes = []
    _open[type(box), cell] = run, [*boxes, box]


def _cell_and_run() -> tuple[str | None, str | None]:
    """Which cell is running, and which of its runs this is; None, None outside of a notebook."""
    shell = get_ipython()
    if not hasattr(shell, "get_parent"):  # no IPython, or one in a terminal
        return None, None
    asked = shell.get_parent()  # the message that asks the kernel to run the cell
    cell = asked.get("metadata", {}).get("cellId") or asked.get("content", {}).get("code")
    return cell, asked.get("header", {}).get("msg_id")


def widgets_below(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """All widgets of this one: in it, at hand in its attributes, their layouts and styles."""
    parts = [getattr(widget, name, None) for name in ("layout", "style")]
    below = [*getattr(widget, "children", ()), *vars(widget).values(), *parts]
    found = [each for each in below if isinstance(each, ipywidgets.Widget)]
    return [*found, *(deeper for each in found for deeper in widgets_below(each))]
