"""Predictions: what a student guessed, beside what was measured."""

from collections.abc import Sequence

from course_lib.words import say, t


def compare_guess(guess: float | None, actual: float, form: str = ".1f", about: str = "") -> None:
    """Shows a stored prediction beside what was measured.

    Args:
        form: the format of both numbers.
        about: what they belong to, where there are several.
    """
    values = {"about": about + t("list.colon") if about else "", "actual": format(actual, form)}
    if guess is None:
        return say("guess.none", **values)
    try:
        guess = float(guess)
    except (TypeError, ValueError):
        return say("guess.no_number", guess=repr(guess), **values)
    difference = format(actual - guess, "+" + form)
    return say("guess.compared", guess=format(guess, form), difference=difference, **values)


def compare_choice(guess: str | None, actual: str, choices: Sequence[str]) -> None:
    """Shows a stored choice beside the right one; `choices` are words of the catalogue (choice.<word>)."""
    values = {"actual": t(f"choice.{actual}")}
    if guess is None:
        return say("guess.none", about="", **values)
    if guess not in choices:
        return say("guess.no_choice", guess=repr(guess), choices=t("list.comma").join(choices), **values)
    return say("guess.right" if guess == actual else "guess.wrong", **values)
