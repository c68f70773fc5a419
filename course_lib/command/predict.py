"""`course predict`: one sentence, or a pair of texts, through all exits."""

import re
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from course_lib.command.common import (
    Json,
    Measure,
    Model,
    SpeedText,
    check_pairs,
    clear_errors,
    console,
    parse_speed,
    print_json,
    warn,
)


@clear_errors
def predict(
    text: Annotated[str, typer.Argument(help='The sentence, in quotes: "房间很干净，但是服务太差".')],
    pair: Annotated[
        str | None,
        typer.Option("--pair", help="The second text, for a model of pairs: the passage to the question."),
    ] = None,
    speed: SpeedText = "0.5",
    measure: Measure = "entropy",
    model: Model = "reviews-fastbert",
    as_json: Json = False,
) -> None:
    """Answer one sentence, and show where it left the network and what every layer would have said.

    The layers above the exit are computed here only to show them; `predict` in Python stops at the exit.
    What the model cannot read of the sentence is told as a warning.
    """
    import torch
    from datasets import Dataset

    from course_lib.models.checkpoints import load_fastbert
    from course_lib.models.exit_rule import uncertainty
    from course_lib.texts.batches import encode
    from course_lib.texts.unread import unread_of

    if re.fullmatch(r"--?[a-zA-Z][a-zA-Z-]*(=\S*)?", text):  # a sentence may begin with dashes, options do
        raise ValueError(f"no option {text}; `course predict --help` lists them")
    limit = parse_speed(speed)
    fastbert, tokenizer = load_fastbert(model)
    check_pairs(fastbert.config.sentence_pairs, pair is not None, model, "give the second with --pair")
    rows = Dataset.from_dict({"text": [text]} | ({} if pair is None else {"text_pair": [pair]}))
    unread = unread_of(rows, tokenizer)
    if not text.strip() or (pair is not None and not pair.strip()) or unread.tokens == 0:
        raise ValueError("the sentence is empty: give a text in quotes")
    for sentence in unread.of_one():
        warn(sentence)
    inputs = {name: torch.tensor([ids]) for name, ids in encode(rows, tokenizer)[0].items()}  # each [1, T]
    answer = fastbert.predict(**inputs, speed=limit, measure=measure)
    with torch.no_grad():
        layers = fastbert.layer_logits(**inputs)[:, 0]  # [L, C]
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
        **({} if pair is None else {"text_pair": pair}),
        "speed": limit,
        "measure": measure,
        "label": names[int(chosen.argmax())],
        "probability": float(chosen.max()),
        "exit_layer": exit_layer,
        "uncertainty": float(answer.uncertainty),
        "tokens": unread.tokens,
        "unknown_tokens": unread.unknown,
        "cut": bool(unread.cut),
        "warnings": unread.of_one(),
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
