"""`course evaluate`: a model on a whole split."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from course_lib.command.common import (
    Data,
    Json,
    LabelColumn,
    Measure,
    Model,
    PairColumn,
    SpeedText,
    Split,
    TextColumn,
    check_pairs,
    clear_errors,
    columns_of,
    console,
    in_order_of,
    parse_speed,
    print_json,
    warn,
)


@clear_errors
def evaluate(
    model: Model = "reviews-fastbert",
    data: Data = "reviews",
    split: Split = "test",
    text: TextColumn = None,
    text_pair: PairColumn = None,
    label: LabelColumn = None,
    speed: SpeedText = "0.5",
    measure: Measure = "entropy",
    save: Annotated[Path | None, typer.Option(help="Also save the trace (safetensors) there.")] = None,
    as_json: Json = False,
) -> None:
    """Accuracy exit by exit, and accuracy, layers and FLOPs at one speed, on a whole split.

    The labels of your own texts are the model's class names, or their numbers from 0. A whole file is
    answered with --split all; without it, only the tenth that is its test split.

    Examples: course evaluate --data my.csv --split all; course evaluate --data my.csv --text review --label
    stars
    """
    from course_lib.measures.trace import ExitTrace
    from course_lib.models.checkpoints import load_fastbert
    from course_lib.texts.batches import is_pairs
    from course_lib.texts.corpora import load_split
    from course_lib.texts.unread import unread_of

    limit = parse_speed(speed)
    rows, total = load_split(data, split, **columns_of(text, label, text_pair))
    fastbert, tokenizer = load_fastbert(model)
    remedy = f"{data} needs a second column of texts (--text-pair NAME)"
    check_pairs(fastbert.config.sentence_pairs, is_pairs(rows), model, remedy)
    known = [fastbert.config.id2label[number] for number in range(fastbert.config.num_labels)]
    rows = in_order_of(known, rows, model, data)
    unread = unread_of(rows, tokenizer)
    for sentence in unread.of_many():
        warn(sentence)
    trace = replace(ExitTrace.of(fastbert, tokenizer, rows), measure=measure)
    if save is not None:
        trace.save(save)
    exits = trace.at(limit)
    result = {
        "model": model,
        "data": data,
        "split": split,
        "sentences": len(rows),
        "sentences_in_all_splits": total,
        "unknown_tokens": unread.unknown / max(unread.tokens, 1),
        "cut_sentences": unread.cut,
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
    rest = "" if len(rows) == total else f"; --split all takes all {total}"
    console.print(f"{data}, {split}: {len(rows)} sentences{rest}", markup=False)
    console.print(
        f"speed {speed}: accuracy {exits.accuracy:.2%} with {exits.mean_layer:.2f} layers on average, "
        f"{exits.flops_speedup:.2f}x fewer FLOPs (exits included) than all layers"
    )
