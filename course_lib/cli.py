"""`course ...`: the commands of the course. All but build and reproduce can print JSON, with --json."""

import functools
import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

app = typer.Typer(
    help="Make BERT light: FastBERT's early exits, and LayerDrop's prunable depth.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Model = Annotated[
    str,
    typer.Option(
        "--model", help="A checkpoint of the course (reviews-fastbert, worlds-fastbert) or a folder."
    ),
]
SpeedText = Annotated[
    str,
    typer.Option(
        "--speed",
        help="The uncertainty below which a sentence leaves, 0 to 1. 0 = all layers. It is a threshold, not "
        "a per cent of time. Or one number for each student exit, with commas.",
    ),
]

Measure = Annotated[
    Literal["entropy", "max_probability", "top_k_entropy"],
    typer.Option("--measure", help="How uncertainty is measured; entropy is the paper's."),
]


def clear_errors(command):
    """Bad input becomes one sentence on stderr and exit code 2, never a traceback."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (ValueError, FileNotFoundError, OSError) as error:
            message = f"[red]error:[/red] {escape(str(error))}"
            Console(stderr=True).print(message, highlight=False, soft_wrap=True)
            raise typer.Exit(2) from None

    return wrapped


@app.command()
@clear_errors
def predict(
    text: Annotated[str, typer.Argument(help='The sentence, in quotes: "房间很干净，但是服务太差".')],
    speed: SpeedText = "0.5",
    measure: Measure = "entropy",
    model: Model = "reviews-fastbert",
    as_json: Json = False,
) -> None:
    """Answer one sentence, and show where it left the network and what every layer would have said.

    The layers above the exit are computed here only to show them; `predict` in Python stops at the exit.
    """
    import torch

    from course_lib.checkpoints import load_fastbert
    from course_lib.exit_rule import uncertainty

    if not text.strip():
        raise ValueError("the sentence is empty: give a text in quotes")
    limit = parse_speed(speed)
    fastbert, tokenizer = load_fastbert(model)
    inputs = tokenizer(text, truncation=True, return_tensors="pt")
    answer = fastbert.predict(inputs["input_ids"], inputs["attention_mask"], limit, measure)
    with torch.no_grad():
        layers = fastbert.layer_logits(inputs["input_ids"], inputs["attention_mask"])[:, 0]  # [L, C]
    names = fastbert.config.id2label
    rows = [
        {
            "layer": depth,
            "label": names[int(logits.argmax())],
            "probability": float(logits.softmax(-1).max()),
            "uncertainty": float(uncertainty(logits, measure)),
        }
        for depth, logits in enumerate(layers, start=1)
    ]
    exit_layer = int(answer.exit_layer)
    chosen = answer.logits[0].softmax(-1)
    result = {
        "text": text,
        "speed": limit,
        "measure": measure,
        "label": names[int(chosen.argmax())],
        "probability": float(chosen.max()),
        "exit_layer": exit_layer,
        "uncertainty": float(answer.uncertainty),
        "layers": rows,
    }
    if as_json:
        return print_json(result)
    table = Table("layer", "answer", "probability", "uncertainty", "")
    for row in rows:
        mark = "<- leaves here" if row["layer"] == exit_layer else ""
        style = "bold" if mark else "dim" if row["layer"] > exit_layer else ""
        table.add_row(
            str(row["layer"]),
            escape(row["label"]),
            f"{row['probability']:.3f}",
            f"{row['uncertainty']:.3f}",
            mark,
            style=style,
        )
    console.print(
        f"[bold]{escape(result['label'])}[/bold] ({result['probability']:.1%}), after layer {exit_layer} "
        f"of {len(rows)} at speed {speed}"
    )
    console.print(table)


@app.command()
@clear_errors
def evaluate(
    model: Model = "reviews-fastbert",
    data: Annotated[
        str, typer.Option(help="reviews, worlds, a file (.csv, .jsonl, .parquet) or a hub name.")
    ] = "reviews",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    speed: SpeedText = "0.5",
    measure: Measure = "entropy",
    save: Annotated[Path | None, typer.Option(help="Also save the trace (safetensors) there.")] = None,
    as_json: Json = False,
) -> None:
    """Accuracy exit by exit, and accuracy, layers and FLOPs at one speed, on a whole split.

    The labels of your own texts are the model's class names, or their numbers from 0.
    """
    from course_lib.checkpoints import load_fastbert
    from course_lib.corpora import SPLITS
    from course_lib.stages import load_corpus
    from course_lib.trace import ExitTrace

    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
    limit = parse_speed(speed)
    fastbert, tokenizer = load_fastbert(model)
    known = [fastbert.config.id2label[number] for number in range(fastbert.config.num_labels)]
    rows = in_order_of(known, load_corpus(data)[split], model, data)
    trace = replace(ExitTrace.of(fastbert, tokenizer, rows), measure=measure)
    if save is not None:
        trace.save(save)
    exits = trace.at(limit)
    result = {
        "model": model,
        "data": data,
        "split": split,
        "sentences": len(rows),
        "accuracy_by_layer": trace.accuracy_by_layer.tolist(),
        "speed": limit,
        "measure": measure,
        "accuracy": exits.accuracy,
        "mean_layer": exits.mean_layer,
        "flops_speedup": exits.flops_speedup,
        "histogram": exits.histogram.tolist(),
    }
    if as_json:
        return print_json(result)
    table = Table("layer", "accuracy of its exit", f"sentences that leave at speed {speed}")
    for depth, (accuracy, count) in enumerate(
        zip(trace.accuracy_by_layer, exits.histogram, strict=True), start=1
    ):
        table.add_row(str(depth), f"{accuracy:.2%}", str(count))
    console.print(table)
    console.print(
        f"speed {speed}: accuracy {exits.accuracy:.2%} with {exits.mean_layer:.2f} layers on average, "
        f"{exits.flops_speedup:.2f}x fewer FLOPs (exits included) than all layers"
    )


@app.command()
@clear_errors
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe of data/recipes, or a TOML file of your own.")],
    seed: Annotated[int | None, typer.Option(help="Train this seed only.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="Any BERT in place of the recipe's: a folder or a hub name.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Your own texts: .csv, .jsonl, .parquet, or a hub name.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Put checkpoints, runs and traces there, not into data/.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train what a recipe says; an interrupted training goes on where it stopped.

    What is trained with another backbone or on other data bears their names and replaces nothing; so does
    a pre-training with another seed.

    Examples: course train reviews-fastbert --seed 1; course train reviews-fastbert --backbone
    bert-base-chinese --data my.csv --out mine
    """
    from course_lib.stages import run_recipe

    folders = {} if out is None else {name: out / name for name in ("checkpoints", "runs", "traces")}
    record = run_recipe(recipe, seed=seed, backbone=backbone, data=data, **folders)
    shown = {key: value for key, value in record.items() if key not in ("history", "phases")}
    print_json(shown) if as_json else console.print(shown.get("metrics", shown))


bench = typer.Typer(help="Measure time; contenders alternate, medians are compared.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command("exits")
@clear_errors
def bench_exits_command(
    model: Model = "reviews-fastbert",
    data: Annotated[str, typer.Option(help="reviews, worlds, a file or a hub name.")] = "reviews",
    speed: SpeedText = "0.5",
    batches: Annotated[str, typer.Option(help="Batch sizes, with commas.")] = "1,8,32,128",
    rounds: Annotated[int, typer.Option(min=3, help="How often each contender runs.")] = 5,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; if not given, all.")] = None,
    as_json: Json = False,
) -> None:
    """Adaptive inference against full depth on the same weights: does the clock agree with the FLOPs?

    An exit is many small steps, which gain nothing from more threads, while a layer does. So with
    --threads 1 small batches keep more of the promise, though both contenders take longer.
    """
    import torch

    from course_lib.bench import bench_exits
    from course_lib.checkpoints import load_fastbert
    from course_lib.stages import load_corpus

    limit = parse_speed(speed)
    sizes = parse_numbers(batches, "batch sizes")
    if threads is not None:
        torch.set_num_threads(threads)
    fastbert, tokenizer = load_fastbert(model)
    rows = load_corpus(data)["test"]
    results = [
        result
        for size in sizes
        for result in bench_exits(fastbert, tokenizer, rows, size, [limit], rounds=rounds)
    ]
    if as_json:
        return print_json([asdict(result) | {"threads": torch.get_num_threads()} for result in results])
    table = Table(
        "batch", "way", "full ms", "adaptive ms", "measured", "quartiles", "FLOPs", "ratio", "layers"
    )
    for result in results:
        table.add_row(
            str(result.batch_size),
            result.way,
            f"{result.full_ms:.2f}",
            f"{result.adaptive_ms:.2f}",
            f"{result.measured_speedup:.2f}x",
            f"{result.spread[0]:.2f}-{result.spread[1]:.2f}",
            f"{result.flops_speedup:.2f}x",
            f"{result.ratio:.2f}",
            f"{result.mean_layer:.2f}",
        )
    console.print(
        f"{model} at speed {speed}, {torch.get_num_threads()} threads; milliseconds a sentence, "
        f"medians of {rounds} rounds.\n"
        "way: batch = it shrinks as sentences leave; pool = it is filled up with others that wait.\n"
        "ratio: measured / FLOPs speed-up; 1 = the clock agrees with the counting."
    )
    console.print(table)


@bench.command("layerdrop")
@clear_errors
def bench_layerdrop_command(
    rates: Annotated[
        str, typer.Option(help="Drop rates with commas; the first is the measure.")
    ] = "0,0.2,0.5,0.8",
    unit: Annotated[str, typer.Option(help="What is dropped: layer, sublayer, head or ffn.")] = "layer",
    layers: Annotated[int, typer.Option(min=1, help="Depth of the network.")] = 12,
    steps: Annotated[int, typer.Option(min=1, help="Training steps in a round.")] = 8,
    rounds: Annotated[int, typer.Option(min=3, help="How often each contender runs.")] = 7,
    as_json: Json = False,
) -> None:
    """Training steps with LayerDrop: do they get quicker by as much as is left out?

    A dropped layer is not computed, so the layers' part should take 1 - p of its time. The whole step
    also pays for embeddings, vocabulary head and optimizer. Heads are another matter: they run side by
    side, so leaving some out saves little (try --unit head).
    """
    from course_lib.bench_layerdrop import bench_layerdrop

    try:
        numbers = [float(rate) for rate in rates.split(",")]
    except ValueError:
        raise ValueError(f"rates are numbers with commas, not {rates!r}") from None
    results = bench_layerdrop(numbers, unit, layers, steps, rounds)
    if as_json:
        return print_json([asdict(result) for result in results])
    table = Table("rate", "expected", "ran", "layers' part", "quartiles", "whole step", "quartiles", "ms")
    for result in results:
        table.add_row(
            f"{result.rate:g}",
            f"{result.expected:.2f}",
            f"{result.ran:.2f}",
            f"{result.layer_part:.2f}",
            "{:.2f}-{:.2f}".format(*result.layer_part_spread),
            f"{result.whole_step:.2f}",
            "{:.2f}-{:.2f}".format(*result.whole_step_spread),
            f"{result.step_ms:.0f}",
        )
    console.print(
        f"Training steps, {layers} layers, unit {unit}; shares of the time at rate {numbers[0]:g}, "
        f"medians of {rounds} rounds of {steps} steps.\nms: milliseconds of a whole step."
    )
    console.print(table)


@bench.command("depth")
@clear_errors
def bench_depth_command(
    model: Model = "reviews-fastbert",
    data: Annotated[str, typer.Option(help="reviews, worlds, a file or a hub name.")] = "reviews",
    keep: Annotated[str, typer.Option(help="How many layers are kept, with commas.")] = "9,6,3,2",
    batch: Annotated[int, typer.Option(min=1, help="Batch size.")] = 32,
    sentences: Annotated[int, typer.Option(min=1, help="How many are answered in a round.")] = 512,
    rounds: Annotated[int, typer.Option(min=3, help="How often each contender runs.")] = 7,
    as_json: Json = False,
) -> None:
    """Networks cut to fewer layers against the whole one: a cut keeps what its FLOPs promise."""
    from course_lib.bench_depth import bench_depth
    from course_lib.checkpoints import load_fastbert
    from course_lib.stages import load_corpus

    keeps = parse_numbers(keep, "numbers of layers")
    fastbert, tokenizer = load_fastbert(model)
    results = bench_depth(fastbert, tokenizer, load_corpus(data)["test"], keeps, batch, sentences, rounds)
    if as_json:
        return print_json([asdict(result) for result in results])
    table = Table("layers", "parameters", "ms", "measured", "quartiles", "FLOPs", "ratio")
    for result in results:
        table.add_row(
            str(result.keep),
            f"{result.parameters:,}",
            f"{result.milliseconds:.2f}",
            f"{result.speedup:.2f}x",
            "{:.2f}-{:.2f}".format(*result.spread),
            f"{result.promised:.2f}x",
            f"{result.speedup / result.promised:.2f}",
        )
    console.print(
        f"{model}, batch {batch}; milliseconds a sentence, medians of {rounds} rounds.\n"
        "ratio: measured / FLOPs speed-up; 1 = the clock agrees with the counting."
    )
    console.print(table)


@app.command()
@clear_errors
def build(
    only: Annotated[str | None, typer.Argument(help="One lesson, by the start of its name: 03.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the notebooks follow.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Write new times even where nothing else has changed.")
    ] = False,
) -> None:
    """Make the notebooks (English, Chinese, exercises) from notebooks/source."""
    from course_lib import lessons

    if check:
        drift = lessons.check(only)
        for line in drift:
            console.print(line)
        raise typer.Exit(1 if drift else 0)
    for path in lessons.build(only, fresh):
        console.print(f"built {path}")


@app.command()
@clear_errors
def doctor(
    network: Annotated[bool, typer.Option("--network", help="Also ask whether the hub answers.")] = False,
    as_json: Json = False,
) -> None:
    """Check this machine: OK or FAIL for each part, and the command that mends it."""
    from course_lib import doctor as examination

    found = examination.checks(network=network)
    if as_json:
        print_json([asdict(check) for check in found])
    else:
        console.print(examination.render(found))
    raise typer.Exit(1 if any(check.ok is False for check in found) else 0)


@app.command()
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
    from course_lib.recipes import read_recipe
    from course_lib.report import summary

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


@app.command()
@clear_errors
def reproduce(
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
) -> None:
    """Train everything that the course ships again, from nothing; says first how long it takes.

    The times are those of the run records; another machine takes longer or shorter.
    """
    from course_lib import stages
    from course_lib.recipes import read_recipe
    from course_lib.stages import recorded_minutes, reproduce_order

    names = reproduce_order()
    found = {name: recorded_minutes(read_recipe(name)) for name in names}
    table = Table("recipe", "trains", "took")
    for name in names:
        table.add_row(name, read_recipe(name)["stage"], time_taken(found[name]))
    console.print(table)
    hours = sum(minutes for minutes, _ in filter(None, found.values())) / 60
    guessed = any(not complete for _, complete in filter(None, found.values()))
    how_sure = "at least " if None in found.values() else "about " if guessed else ""
    console.print(
        f"{how_sure}{hours:.1f} hours in all, on the machine of the run records; "
        "it may be interrupted and goes on where it was."
    )
    if not yes and not typer.confirm("Start?"):
        raise typer.Exit(0)
    stages.reproduce()


def time_taken(recorded: tuple[float, bool] | None) -> str:
    """What `recorded_minutes` found, in words: a seed without a record makes the figure a guess."""
    if recorded is None:
        return "no record yet"
    minutes, complete = recorded
    return f"{'' if complete else 'about '}{minutes:.0f} minutes"


def report_pruning(study: str, as_json: bool) -> None:
    from course_lib.cuts import cut_table, masked_losses, over_seeds

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


def with_deviation(value: list[float], percent: bool = False) -> str:
    """[mean, standard deviation] -> "86.10 ± 0.20"; a single seed has no deviation."""
    mean, deviation = (100 * number if percent else number for number in value)
    spread = "" if math.isnan(deviation) else f" ± {deviation:.2f}"
    return f"{mean:.2f}{spread}" + (" %" if percent else "")


def parse_speed(text: str) -> float | list[float]:
    """ "0.5" -> 0.5, "0.2,0.4,…" -> a list; whether they lie in [0, 1] is checked where they are used."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"speed is a number in [0, 1], or several with commas, not {text!r}") from None
    return numbers[0] if len(numbers) == 1 else numbers


def parse_numbers(text: str, what: str) -> list[int]:
    """ "1,8,32" -> [1, 8, 32]."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f"{what} are whole numbers above 0, with commas, not {text!r}")
    return [int(part) for part in parts]


def in_order_of(known: list[str], rows, model: str, data: str):
    """Rows whose labels are numbered as the model numbers its classes.

    Args:
        known: the model's class names, in the order of their numbers.
        rows: a Dataset whose labels have these names, or are the numbers themselves.
    """
    from course_lib.corpora import renumber

    names, numbers = rows.features["label"].names, [str(number) for number in range(len(known))]
    for order in (known, numbers):
        if set(names) == set(order):
            return renumber(rows, order)
    raise ValueError(f"{model} knows the classes {', '.join(known)}, but {data} has {', '.join(names)}")


def print_json(value) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    app()
