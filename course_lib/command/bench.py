"""`course bench`: what the clock says of what the FLOPs promise."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from course_lib.command.common import (
    Data,
    Json,
    LabelColumn,
    Model,
    PairColumn,
    SpeedText,
    Split,
    TextColumn,
    clear_errors,
    columns_of,
    console,
    parse_numbers,
    parse_speed,
    print_json,
)


@clear_errors
def exits(
    model: Model = "reviews-fastbert",
    data: Data = "reviews",
    split: Split = "test",
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    speed: SpeedText = "0.5",
    batches: Annotated[str, typer.Option(help="Batch sizes, with commas.")] = "1,8,32,128",
    rounds: Annotated[int, typer.Option(min=3, help="How often each contender runs.")] = 5,
    sentences: Annotated[int, typer.Option(min=1, help="How many are answered in a round.")] = 1024,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; if not given, all.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Keep it as a run record.")] = False,
    as_json: Json = False,
) -> None:
    """Adaptive inference against full depth on the same weights: does the clock agree with the FLOPs?

    An exit is many small steps, which gain nothing from more threads, while a layer does. So with
    --threads 1 small batches keep more of the promise, though both contenders take longer.
    """
    import torch

    from course_lib.measures.bench import bench_exits
    from course_lib.measures.records import write_record
    from course_lib.models.checkpoints import load_fastbert
    from course_lib.texts.corpora import load_split

    limit = parse_speed(speed)
    sizes = parse_numbers(batches, "batch sizes")
    if threads is not None:
        torch.set_num_threads(threads)
    fastbert, tokenizer = load_fastbert(model)
    rows, _ = load_split(data, split, **columns_of(text, label, text_pair))
    sentences = min(len(rows), sentences)
    results = [
        result
        for size in sizes
        for result in bench_exits(
            fastbert, tokenizer, rows, size, [limit], sentences=sentences, rounds=rounds
        )
    ]
    how = {"threads": torch.get_num_threads(), "sentences": sentences}
    if record:
        name = f"bench-exits-{model}-threads{how['threads']}"
        write_record(name, {"model": model, **how, "benches": [asdict(result) for result in results]})
    if as_json:
        return print_json([asdict(result) | how for result in results])
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
        f"{model} at speed {speed}, {torch.get_num_threads()} threads; {sentences} sentences of {data}, "
        f"{split}; milliseconds a sentence, medians of {rounds} rounds.\n"
        "way: batch = it shrinks as sentences leave; pool = it is filled up with others that wait.\n"
        "ratio: measured / FLOPs speed-up; 1 = the clock agrees with the counting."
    )
    console.print(table)


@clear_errors
def layerdrop(
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
    from course_lib.measures.bench_layerdrop import bench_layerdrop

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


@clear_errors
def depth(
    model: Model = "reviews-fastbert",
    data: Data = "reviews",
    split: Split = "test",
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    keep: Annotated[str, typer.Option(help="How many layers are kept, with commas.")] = "9,6,3,2",
    batch: Annotated[int, typer.Option(min=1, help="Batch size.")] = 32,
    sentences: Annotated[int, typer.Option(min=1, help="How many are answered in a round.")] = 512,
    rounds: Annotated[int, typer.Option(min=3, help="How often each contender runs.")] = 7,
    as_json: Json = False,
) -> None:
    """Networks cut to fewer layers against the whole one: a cut keeps what its FLOPs promise."""
    from course_lib.measures.bench_depth import bench_depth
    from course_lib.models.checkpoints import load_fastbert
    from course_lib.texts.corpora import load_split

    keeps = parse_numbers(keep, "numbers of layers")
    fastbert, tokenizer = load_fastbert(model)
    rows, _ = load_split(data, split, **columns_of(text, label, text_pair))
    results = bench_depth(fastbert, tokenizer, rows, keeps, batch, sentences, rounds)
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
        f"{model}, batch {batch}; {min(sentences, len(rows))} sentences of {data}, {split}; milliseconds a "
        f"sentence, medians of {rounds} rounds.\n"
        "ratio: measured / FLOPs speed-up; 1 = the clock agrees with the counting."
    )
    console.print(table)


@clear_errors
def rivals(
    model: Annotated[
        str, typer.Argument(help="A recipe whose checkpoint and traces are there.")
    ] = "reviews-e5",
    savings: Annotated[str, typer.Option(help="FLOPs saved by early exit, with commas.")] = "1.5,2.5,4,6",
    batch: Annotated[int, typer.Option(min=1, help="Batch size.")] = 32,
    texts: Annotated[int, typer.Option(min=1, help="How many are answered in a round.")] = 512,
    rounds: Annotated[int, typer.Option(min=3, help="How often each contender runs.")] = 7,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; if not given, all.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Keep it as a run record, for lesson 06.")] = False,
    as_json: Json = False,
) -> None:
    """Early exit beside networks that end after layer 1, 2, 3, …: accuracy at equal milliseconds.

    Speeds are chosen on the validation split for the savings given. The clock is this machine's, at this
    batch size; the interval is over texts (one model is timed, so seeds cannot be drawn).
    """
    import torch

    from course_lib.measures.bench_rivals import bench_rivals
    from course_lib.measures.comparison import speeds_for
    from course_lib.measures.records import read_record, write_record
    from course_lib.measures.trace import load_traces
    from course_lib.models.checkpoints import load_fastbert
    from course_lib.tables.rivals import at_equal_time
    from course_lib.texts.corpora import load_corpus

    wanted = [float(saving) for saving in savings.split(",")]
    if threads is not None:
        torch.set_num_threads(threads)
    validation = load_traces(model, "validation")[:1]
    speeds = [speeds_for(validation, saving)[0] for saving in wanted]
    data = read_record(f"{model}-seed1")["recipe"]["data"]
    fastbert, tokenizer = load_fastbert(model)
    found = bench_rivals(fastbert, tokenizer, load_corpus(data)["test"], speeds, batch, texts, rounds)
    if record:
        write_record(f"bench-{model}", {"model": model, "savings": wanted, "times": asdict(found)})
    if as_json:
        return print_json(asdict(found))
    rows = at_equal_time(model, wanted, found)
    table = Table(rows.index.name or "", *rows.columns)
    for saving, row in rows.iterrows():
        table.add_row(saving, *row)
    console.print(
        f"{model}, batch {batch}, {found.threads} threads, {found.texts} texts, medians of {rounds} rounds; "
        f"spread of a contender {found.spread:.0%}"
    )
    console.print(table)
