"""`course evaluate`: a model on a whole split."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from course_lib.command.common import (
    Json,
    Measure,
    Model,
    SpeedText,
    clear_errors,
    console,
    in_order_of,
    parse_speed,
    print_json,
)


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
    from course_lib.measures.trace import ExitTrace
    from course_lib.models.checkpoints import load_fastbert
    from course_lib.texts.corpora import load_corpus
    from course_lib.texts.shape import SPLITS

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
