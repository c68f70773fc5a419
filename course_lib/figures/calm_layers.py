"""Early exit in text generation, as published: how deep a token must go, by how much risk is allowed."""

from matplotlib.figure import Figure

from course_lib.measures.published import published
from course_lib.style import BLUE, GREEN, ORANGE, describe, new_figure
from course_lib.words import t

LAYERS = 8  # of CALM's T5 decoder
LOOKS = {"CNN/DM": (BLUE, "o"), "WMT15 EN-FR": (GREEN, "s"), "SQuAD (open-book)": (ORANGE, "^")}


def calm_layers() -> Figure:
    """One line a task (CALM, Table 2, softmax confidence): decoder layers a token, of eight."""
    figure, axes = new_figure()
    found = {}
    for task, (color, marker) in LOOKS.items():
        rows = published(paper="CALM", model="T5 8-layer, softmax", dataset=task, setting="risk consistency")
        risks = [float(row["setting"].split("delta=")[1].split(",")[0]) for row in rows]
        found[task] = [float(row["value"]) for row in rows]
        axes.plot(
            ["0", *map(str, risks)],
            [LAYERS, *found[task]],
            marker + "-",
            color=color,
            label=task,
            markersize=9,
        )
    axes.set(ylim=(0, LAYERS + 0.4), xlabel=t("axis.allowed_risk"), ylabel=t("axis.layers_a_token"))
    axes.legend(loc="upper right")
    least = min(layers[-1] for layers in found.values())
    most = max(layers[-1] for layers in found.values())
    title = t("figure.calm_layers", layers=LAYERS, least=least, most=most)
    axes.set_title(title)
    return describe(figure, title)
