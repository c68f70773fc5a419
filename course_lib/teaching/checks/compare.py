"""A student's function against the course's own, on several inputs."""

import copy
import math
from collections.abc import Callable

from course_lib.words import t

Wrong = Callable[..., object]  # a usual mistake, written out, so that its result can be recognised


def compare(
    function: Callable,
    reference: Callable,
    cases: list[tuple],
    mistakes: dict[str, Wrong],
    raises: dict[type[Exception], str] | None = None,
    beside: Callable[..., str | None] = lambda shown, *arguments: None,
    shorten: bool = False,
) -> bool:
    """Runs all cases; after a wrong one, names the first usual mistake that explains everything seen.

    The function gets copies of the arguments, so that it may change them: many right solutions do.

    Args:
        beside: what is wrong though the result is right: called right after the function, with how that was
            called and its arguments -> the line to print, or None.
        shorten: show only how long arguments begin.
    """
    name = getattr(function, "__name__", "function")
    seen: list[tuple[tuple, object]] = []
    first_wrong = remark = None
    for case in cases:
        shown = f"{name}({', '.join(_begin(value) if shorten else str(value) for value in case)})"
        arguments = copy.deepcopy(case)
        kept = tuple(copy.copy(each) for each in arguments)  # the same items, whatever becomes of the lists
        given, problem = try_call(function, arguments, shown, raises)
        if problem:
            return report(problem)
        seen.append((case, given))
        remark = remark or beside(shown, *kept)
        expected = _answer(reference, case)
        if first_wrong is None and not equal(given, expected):
            first_wrong = (shown, given, expected)
    if first_wrong is None:
        return report(remark, cases=len(cases))
    explains = (
        hint
        for hint, mistake in mistakes.items()
        if all(equal(given, _answer(mistake, case)) for case, given in seen)
    )
    _, given, expected = first_wrong
    is_text = isinstance(given, str) and isinstance(expected, int | float)
    return report(wrong_line(*first_wrong, "text" if is_text else next(explains, "none")))


def try_call(
    function: Callable, arguments: tuple, shown: str, raises: dict[type[Exception], str] | None = None
) -> tuple[object, str | None]:
    """-> (result, None), or (None, the line to print)."""
    if function is ... or function is None:
        return None, t("check.todo")
    try:
        result = function(*arguments)
    except NotImplementedError:
        return None, t("check.todo")
    except Exception as error:  # whatever the student's code does, the check answers in one line
        line = t("check.error", call=shown, error=f"{type(error).__name__}: {error}")
        hints = [hint for kind, hint in (raises or {}).items() if isinstance(error, kind)]
        return None, " ".join([line, *(t(f"check.hint.{hint}") for hint in hints)])
    return (None, t("check.todo")) if result is ... else (result, None)


def equal(given: object, expected: object) -> bool:
    """Equal numbers up to rounding; NaN equals NaN; lists item by item; words and None as they are."""
    if isinstance(given, bool) or given is None or expected is None:
        return given is expected
    if isinstance(expected, str):
        return isinstance(given, str) and given == expected
    if isinstance(given, str):  # float() would take "2.0"
        return False
    if isinstance(expected, list):
        return hasattr(given, "__iter__") and list(given) == expected
    number = as_number(given)
    if number is None:
        return False
    expected = float(expected)
    return math.isclose(number, expected, abs_tol=1e-4) or (math.isnan(number) and math.isnan(expected))


def as_number(given: object) -> float | None:
    """A float; None for what is no number, or a whole number that no float can hold."""
    try:
        return None if isinstance(given, str) else float(given)
    except (TypeError, ValueError, OverflowError):
        return None


def wrong_line(shown: str, given: object, expected: object, hint: str) -> str:
    """The line that says what came out, what was expected, and the hint."""
    given = f"{given:.4g}" if isinstance(given, float) else str(given)
    expected = f"{expected:.4g}" if isinstance(expected, float) else str(expected)
    return t("check.wrong", call=shown, given=given, expected=expected, hint=t(f"check.hint.{hint}")).rstrip()


def report(problem: str | None, cases: int = 0) -> bool:
    """Prints the problem, or that all cases are right; True if they are."""
    print(problem or t("check.pass", cases=cases))
    return problem is None


def _begin(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:40].rsplit(",", 1)[0] + ", …]"


def _answer(function: Callable, case: tuple) -> object:
    return function(*copy.deepcopy(case))
