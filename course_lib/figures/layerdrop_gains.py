"""What LayerDrop's paper reports, task by task, beside the same network without it."""

from matplotlib.figure import Figure

from course_lib.measures.published import published
from course_lib.style import BLUE, ORANGE, describe, new_figure
from course_lib.words import t

# word of the task -> conditions of the two rows, without LayerDrop and with it
ENCODER = {
    task: (
        {"table": "Table 4", "dataset": task, "setting": "24 layers, Books"},
        "RoBERTa large",
        "RoBERTa large + LayerDrop",
    )
    for task in ("MNLI-m", "MRPC", "QNLI", "SST-2")
}
GENERATION = {
    "BLEU, WMT en-de": (
        {"table": "Table 1", "setting": "enc 6 dec 6"},
        "Transformer (Ott 2018)",
        "Transformer (Ott 2018) + LayerDrop",
    ),
    "BLEU, IWSLT de-en": ({"table": "Table 6"}, "Transformer (Wu 2019)", "Transformer + LayerDrop"),
    "ROUGE-L, CNN-DM": (
        {"table": "Table 3", "dataset": "CNN", "metric": "ROUGE-L", "setting": "enc 6 dec 6"},
        "Transformer (Edunov 2019)",
        "Transformer + LayerDrop",
    ),
    "ROUGE-L, ELI5": (
        {"table": "Table 3", "dataset": "ELI5", "metric": "ROUGE-L"},
        "Transformer Multitask (Fan 2019)",
        "Transformer Multitask + LayerDrop",
    ),
}
PERPLEXITY = ({"table": "Table 2", "setting": "16 layers"}, "Adaptive Inputs", "Adaptive Inputs + LayerDrop")


def gain(row: tuple[dict, str, str]) -> float:
    """With LayerDrop minus without, as the paper prints them."""
    conditions, without, with_it = row
    values = {each["model"]: float(each["value"]) for each in published(paper="LayerDrop", **conditions)}
    return values[with_it] - values[without]


def layerdrop_gains() -> Figure:
    """Uncut networks on GLUE's development sets (Table 4, the same data): points gained."""
    return _bars({task: gain(row) for task, row in ENCODER.items()}, "layerdrop_gains")


def generation_gains() -> Figure:
    """Uncut networks that write text (Tables 1, 3 and 6): points of each task's own measure gained."""
    gains = {task: gain(row) for task, row in GENERATION.items()}
    return _bars(gains, "generation_gains", perplexity=gain(PERPLEXITY))


def _bars(gains: dict[str, float], name: str, **values: float) -> Figure:
    figure, axes = new_figure()
    bars = axes.barh(
        list(gains), list(gains.values()), color=[BLUE if each > 0 else ORANGE for each in gains.values()]
    )
    axes.bar_label(bars, [f"{each:+.1f}" for each in gains.values()], padding=6)
    axes.set_xlabel(t("axis.points_gained"))
    axes.set_xlim(min(0, *gains.values()) - 0.1, max(gains.values()) + 0.15)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    title = t(f"figure.{name}", least=min(gains.values()), most=max(gains.values()), **values)
    axes.set_title(title)
    return describe(figure, title)
