"""`course predict`: one sentence through all exits."""

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
    clear_errors,
    console,
    parse_speed,
    print_json,
    warn,
)


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
    What the model cannot read of the sentence is told as a warning.
    """
    import torch

    from course_lib.models.checkpoints import load_fastbert
    from course_lib.models.exit_rule import uncertainty
    from course_lib.texts.unread import Unread

    if re.fullmatch(r"--?[a-zA-Z][a-zA-Z-]*(=\S*)?", text):  # a sentence may begin with dashes, options do
        raise ValueError(f"no option {text}; `course predict --help` lists them")
    limit = parse_speed(speed)
    fastbert, tokenizer = load_fastbert(model)
    unread = Unread.of([text], tokenizer)
    if unread.tokens == 0:
        raise ValueError("the sentence is empty: give a text in quotes")
    for sentence in unread.of_one():
        warn(sentence)
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
