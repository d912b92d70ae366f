"""The figures that results and parameters derive."""

from __future__ import annotations

import pytest

from whisper_runtime.engine.policy.queries import DecodedTokens, DecodingParams


@pytest.mark.parametrize("ended", [True, False])
def test_the_average_counts_the_end_even_where_it_is_missing(ended: bool) -> None:
    """As whisper/decoding.py does."""
    logprobs = (-1.0, -2.0, -3.0) if ended else (-1.0, -2.0)
    assert DecodedTokens((400, 401), logprobs, sum(logprobs), 0.0).avg_logprob == sum(logprobs) / 3


@pytest.mark.parametrize(("beam_size", "best_of", "count"), [(None, None, 1), (5, None, 5), (None, 3, 3)])
def test_candidates_are_beams_or_samples(beam_size: int | None, best_of: int | None, count: int) -> None:
    assert DecodingParams((1,), 0, beam_size=beam_size, best_of=best_of).num_candidates == count
