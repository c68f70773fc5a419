"""Ways of writing against each other: per token, against the first, with what they say of their work."""

import time

import pytest
import torch
from tiny import tiny_decoder

from course_lib.measures.bench_writing import bench_writing
from course_lib.models.self_speculation import speculate
from course_lib.models.token_exit import generate_with_exits

PROMPTS = [torch.tensor([[1, 7]]), torch.tensor([[1, 9, 3]])]


def writes(tokens, seconds):
    """A way that takes so long for so many new tokens."""

    def way(prompt):
        time.sleep(seconds)
        return torch.cat([prompt, torch.full((1, tokens), 5)], 1)

    return way


def test_speed_is_told_a_token_and_against_the_first_way():
    found = bench_writing({"plain": writes(1, 0.05), "two at once": writes(2, 0.05)}, PROMPTS, rounds=3)
    assert found["plain"].speedup == 1 and found["plain"].tokens_per_second < 20
    assert 1.3 < found["two at once"].speedup < 3
    low, high = found["two at once"].spread
    assert low <= found["two at once"].speedup <= high
    assert found["two at once"].agreement == 0.5 and found["two at once"].same_texts == 0
    assert found["plain"].layers_per_token is found["plain"].accepted is None


def test_what_early_exit_and_speculation_say_of_their_work():
    model = tiny_decoder()
    found = bench_writing(
        {
            "all layers": lambda ids: generate_with_exits(model, ids, 8, threshold=0.0),
            "first exit": lambda ids: generate_with_exits(model, ids, 8, threshold=1.0),
            "speculation": lambda ids: speculate(model, ids, 8, draft=2),
            "no draft": lambda ids: speculate(model, ids, 8, draft=2, threshold=0.0),
        },
        PROMPTS,
        rounds=1,
    )
    assert found["all layers"].layers_per_token == 4 and found["first exit"].layers_per_token == 1
    assert found["speculation"].same_texts == found["no draft"].same_texts == 1
    assert 0 <= found["speculation"].accepted <= 1 and found["no draft"].accepted is None
    assert found["no draft"].checks_per_token == 1 >= found["speculation"].checks_per_token


def test_nothing_written_is_refused():
    with pytest.raises(ValueError, match="nothing was written by.*lazy"):
        bench_writing({"lazy": lambda prompt: prompt}, PROMPTS, rounds=1)
    with pytest.raises(ValueError, match="at least one prompt"):
        bench_writing({"any": lambda prompt: prompt}, [])
