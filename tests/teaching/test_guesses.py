"""A prediction beside what was measured, whatever a student has written there."""

import pytest

from course_lib import words
from course_lib.teaching.checks import compare_choice, compare_guess, guesses

pytestmark = pytest.mark.usefixtures("language")


def test_a_guess_is_compared(monkeypatch):
    shown = []
    monkeypatch.setattr(guesses, "say", lambda key, **values: shown.append(words.t(key, **values)))
    compare_guess(None, 12.34)
    compare_guess(10, 12.34)
    assert "12.3" in shown[0] and "+2.3" in shown[1] and "10.0" in shown[1]
    for odd in ("ten", [1, 2], ...):
        compare_guess(odd, 12.34)
        assert repr(odd) in shown[-1] and "12.3" in shown[-1]


def test_a_choice_is_compared(monkeypatch):
    shown = []
    monkeypatch.setattr(guesses, "say", lambda key, **values: shown.append((key, values["actual"])))
    for choice in (None, "many", "few", 3):
        compare_choice(choice, "many", ("few", "many"))
    keys, actual = zip(*shown, strict=True)
    assert keys == ("guess.none", "guess.right", "guess.wrong", "guess.no_choice")
    assert set(actual) == {words.t("choice.many")}
