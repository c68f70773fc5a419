"""What the tests of the checks share: both languages, and what a check has said."""

import pytest

from course_lib import words


@pytest.fixture(params=words.LANGUAGES)
def language(request):
    """Each test runs in English and in Chinese."""
    words.use(request.param)
    yield request.param
    words.use(None)


@pytest.fixture
def said(capsys, language):
    """said(key): whether the line since the last question holds the catalogue's words for `key`.

    They are compared up to the first value in them.
    """

    def asked(key: str) -> bool:
        beginning = words.catalogue()[key][language].split("{")[0]
        return bool(beginning) and beginning in capsys.readouterr().out

    return asked
