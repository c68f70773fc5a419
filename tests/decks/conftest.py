"""Each deck, and each edition of it, in turn."""

import pytest
from editions import DECKS, EDITIONS, filled, written

from course_lib.decks.filled import FilledDeck
from course_lib.decks.source import Deck


@pytest.fixture(params=DECKS)
def deck(request) -> Deck:
    return written(request.param)


@pytest.fixture(params=EDITIONS, ids="-".join)
def edition(request) -> FilledDeck:
    return filled(*request.param)
