"""The outline's numbered figures: technique and number -> the function that draws it.

Each technique has figures 1 to 13, as the outline counts them; their captions are in words/outline.toml,
under "outline.fastbert.figure5". Decks name figures by number alone, so a better one replaces the entry
here and nothing else.
"""

from collections.abc import Callable

from matplotlib.figure import Figure

from course_lib.figures.accuracy_by_exit import accuracy_by_exit
from course_lib.figures.accuracy_by_exit_of_tasks import accuracy_by_exit_of_tasks
from course_lib.figures.by_layers_kept import accuracy_by_kept, masked_loss_by_kept
from course_lib.figures.calm_layers import calm_layers
from course_lib.figures.depths_run import depths_run
from course_lib.figures.exit_schematic import exit_schematic
from course_lib.figures.fastbert_schematic import fastbert_schematic
from course_lib.figures.kept_layers import kept_layers
from course_lib.figures.layerdrop_gains import generation_gains, layerdrop_gains
from course_lib.figures.layerdrop_schematic import layerdrop_schematic
from course_lib.figures.learning_rates import learning_rates
from course_lib.figures.lightweight_schematic import lightweight_schematic
from course_lib.figures.masked_losses import masked_losses_in_training
from course_lib.figures.paper_savings import paper_savings
from course_lib.figures.reliability import risk_of_one_threshold
from course_lib.figures.stage_losses import stage_losses
from course_lib.figures.stages_schematic import stages_schematic
from course_lib.figures.timeline import timeline
from course_lib.figures.trade_off import trade_off
from course_lib.figures.trade_offs import curve_of, trade_offs
from course_lib.figures.training_draws import training_draws
from course_lib.measures.cuts import cut_table, masked_losses
from course_lib.measures.trace import load_traces

STUDIES = ("plain", "layerdrop", "half")


def _trace(name: str):
    return load_traces(name, "test")[0]


FIGURES: dict[tuple[str, int], Callable[[], Figure]] = {
    ("fastbert", 1): lightweight_schematic,
    ("fastbert", 2): stages_schematic,
    ("fastbert", 3): fastbert_schematic,
    ("fastbert", 4): lambda: accuracy_by_exit(_trace("reviews-e5")),
    ("fastbert", 5): exit_schematic,
    ("fastbert", 6): lambda: stage_losses("reviews-e5"),
    ("fastbert", 7): learning_rates,
    ("fastbert", 8): lambda: accuracy_by_exit_of_tasks(
        {task: load_traces(f"{task}-e5", "test") for task in ("reviews", "laws")}
    ),
    ("fastbert", 9): paper_savings,
    ("fastbert", 10): lambda: risk_of_one_threshold(_trace("laws-e5")),
    ("fastbert", 11): timeline,
    ("fastbert", 12): lambda: trade_off(_trace("reviews-e5")),
    ("fastbert", 13): calm_layers,
    ("layerdrop", 1): layerdrop_schematic,
    ("layerdrop", 2): lambda: training_draws(0.2, 12, 20, [12, 6, 3]),
    ("layerdrop", 3): layerdrop_schematic,
    ("layerdrop", 4): lambda: depths_run((0.2, 0.5), 12),
    ("layerdrop", 5): lambda: kept_layers(cut_table("layerdrop"), 6),
    ("layerdrop", 6): lambda: masked_losses_in_training(
        {"plain": "reviews-backbone", "layerdrop": "reviews-layerdrop", "half": "reviews-layerdrop-half"}
    ),
    ("layerdrop", 7): learning_rates,
    ("layerdrop", 8): layerdrop_gains,
    ("layerdrop", 9): lambda: masked_loss_by_kept(masked_losses(*STUDIES)),
    ("layerdrop", 10): lambda: trade_offs(
        {"plain": curve_of("reviews-fastbert"), "layerdrop": curve_of("reviews-layerdrop-fastbert")}
    ),
    ("layerdrop", 11): timeline,
    ("layerdrop", 12): lambda: accuracy_by_kept(cut_table(*STUDIES)),
    ("layerdrop", 13): generation_gains,
}
TECHNIQUES = ("fastbert", "layerdrop")


def outline_figure(technique: str, number: int) -> Figure:
    """The figure with that number in the outline of "fastbert" or "layerdrop".

    Raises:
        ValueError: an unknown technique or number.
    """
    if (technique, number) not in FIGURES:
        raise ValueError(f"no figure {number} of {technique!r}; there are 1 to 13 of {', '.join(TECHNIQUES)}")
    return FIGURES[technique, number]()
