"""`course ...`: the commands of the course, one file each.

All but backbone, build, corpus, explorer, reproduce and slides can print JSON.
"""

import sys

import typer

from course_lib.command import bench
from course_lib.command.backbone import backbone
from course_lib.command.build import build
from course_lib.command.corpus import corpus
from course_lib.command.doctor import doctor
from course_lib.command.evaluate import evaluate
from course_lib.command.explorer import explorer
from course_lib.command.predict import predict
from course_lib.command.report import report
from course_lib.command.reproduce import reproduce
from course_lib.command.slides import slides
from course_lib.command.train import train

app = typer.Typer(
    help="Make BERT light: FastBERT's early exits, and LayerDrop's prunable depth.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
benches = typer.Typer(help="Measure time; contenders alternate, medians are compared.", no_args_is_help=True)


@app.callback()
def show_what_can_be_shown() -> None:
    # Windows redirects into its old code page; what that lacks is shown by its number, in help as in tables.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


app.command(context_settings={"ignore_unknown_options": True})(predict)  # "-- 太差了" is a sentence
app.command()(evaluate)
app.command()(train)
app.add_typer(benches, name="bench")
benches.command("exits")(bench.exits)
benches.command("layerdrop")(bench.layerdrop)
benches.command("depth")(bench.depth)
benches.command("rivals")(bench.rivals)
app.command()(backbone)
app.command()(corpus)
app.command()(build)
app.command()(slides)
app.command()(explorer)
app.command()(doctor)
app.command()(report)
app.command()(reproduce)
