"""`course report`: what a recipe reached, over its seeds."""

from typing import Annotated

import typer
from rich.table import Column, Table

from course_lib.command.common import Json, clear_errors, console, print_json, with_deviation


@clear_errors
def report(
    recipe: Annotated[
        str, typer.Argument(help="A recipe with run records: reviews-fastbert, pruning-layerdrop, …")
    ],
    as_json: Json = False,
) -> None:
    """What a recipe reached on the test split: mean and standard deviation over its seeds.

    FastBERT: speeds are chosen on the validation split: the lowest that saves so many FLOPs there ("aimed
    at 4x"; the column FLOPs says what it saves on test), or the one that saves most within a loss ("lose
    0.01"). Pruning: accuracy by layers kept, for every strategy without training after the cut, and
    fine-tuned after it ("tuned").
    """
    from course_lib.measures.report import summary
    from course_lib.training.recipes import read_recipe

    read = read_recipe(recipe)
    if read["stage"] == "pruning":
        return report_pruning(read["name"], as_json)

    found = summary(read["name"])
    if as_json:
        return print_json(found)
    exits = Table("layer", "accuracy of its exit")
    for depth, value in enumerate(found["accuracy_by_layer"], start=1):
        exits.add_row(str(depth), with_deviation(value, percent=True))
    choices = Table(Column("chosen for", no_wrap=True), "speed", "accuracy", "lost", "layers", "FLOPs")
    for kind, label in (("at_speedup", "aimed at {}x"), ("at_budget", "lose {}")):
        for target, values in found[kind].items():
            choices.add_row(
                label.format(target),
                with_deviation(values["speed"]),
                with_deviation(values["accuracy"], percent=True),
                with_deviation(values["loss"], percent=True),
                with_deviation(values["mean_layer"]),
                with_deviation(values["flops_speedup"]) + "x",
            )
    console.print(f"{recipe}: mean and standard deviation over {found['seeds']} seeds")
    console.print(exits)
    console.print(choices)
    if "by_steps" in found:
        by_steps = Table("steps", "exit 1", "teacher", "adaptive", "exit layer")
        for steps, values in found["by_steps"].items():
            by_steps.add_row(
                steps,
                *(with_deviation(values[key], percent=True) for key in ("first_exit", "teacher", "accuracy")),
                with_deviation(values["mean_layer"]),
            )
        console.print(by_steps)


def report_pruning(study: str, as_json: bool) -> None:
    from course_lib.measures.cuts import cut_table, masked_losses, over_seeds

    cuts = cut_table(study)
    found, losses = over_seeds(cuts).loc[study], masked_losses(study)[study]
    if as_json:
        rows = [
            {"way": way, "keep": keep, "mean": row["mean"], "std": None if row["count"] < 2 else row["std"]}
            for (way, keep), row in found.iterrows()
        ]
        kept = cuts[["way", "keep", "seed", "layers"]].dropna().to_dict("records")
        return print_json({"cuts": rows, "kept": kept, "masked_loss": losses.to_dict()})
    keeps = sorted({keep for _, keep in found.index}, reverse=True)
    table = Table("way", *(f"{keep} layers" for keep in keeps))
    for way in dict.fromkeys(way for way, _ in found.index):
        cells = [found.loc[way, keep] if (way, keep) in found.index else None for keep in keeps]
        table.add_row(
            way,
            *("" if cell is None else with_deviation([cell["mean"], cell["std"]], True) for cell in cells),
        )
    table.add_row("masked loss", *(f"{losses[keep]:.2f}" if keep in losses else "" for keep in keeps))
    console.print(f"{study}: mean and standard deviation over {int(found['count'].max())} seeds")
    console.print(table)
    for way in ("search", "data_driven"):  # the ways whose layers nobody can tell beforehand
        for cut in cuts[(cuts["way"] == way) & (cuts["keep"] < max(keeps))].itertuples():
            console.print(f"seed {cut.seed}, {way} keeps {cut.layers}", markup=False)
