"""`course explorer`: the page that needs no kernel."""

from course_lib.command.common import clear_errors, console


@clear_errors
def explorer() -> None:
    """Build docs/explorer.html: all of the explorer, networks and all, in one file (some minutes).

    Says at the end how big it is, and what packing the networks changed.
    """
    from course_lib.explorer.build import PAGE, build
    from course_lib.paths import ROOT

    changed = build()
    console.print(f"built {PAGE.relative_to(ROOT)}: {PAGE.stat().st_size / 1e6:.2f} MB")
    console.print(
        f"rounding the weights, seen on {changed['sentences']} sentences: a probability moves by "
        f"{changed['mean']} on average, by more than {changed['most']} in 1 % of the cases; "
        f"{changed['same']} leave at the same layer at speed 0.5"
    )
