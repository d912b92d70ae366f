"""A window's tokens are cut into segments at pairs of timestamps."""

from __future__ import annotations

import pytest

from tests.fakes.results import TOKENIZER, decoded
from whisper_runtime.engine.policy.segments import decoding_result, final_segment, split_segments

SEEK, SIZE = 1000, 3000


@pytest.mark.parametrize(
    ("pieces", "segments", "advance", "lone"),
    [
        ((0.0, " One.", 4.0), [(10.0, 14.0, " One.")], SIZE, True),
        ((" One.",), [(10.0, 40.0, " One.")], SIZE, False),
        ((0.0, " One.", 2.0, 2.0, " Two.", 5.0), [(10.0, 12.0, " One."), (12.0, 15.0, " Two.")], SIZE, True),
        ((0.0, " One.", 2.0, 2.0, " Two"), [(10.0, 12.0, " One.")], 200, False),
        ((0.0, " One.", 2.0, 2.0), [(10.0, 12.0, " One.")], 200, False),
    ],
)
def test_segments_and_the_next_windows_start(
    pieces: tuple[str | float, ...], segments: list[tuple[float, float, str]], advance: int, lone: bool
) -> None:
    split = split_segments(decoded(*pieces), SEEK, SIZE, TOKENIZER)
    assert [(one.start, one.end, one.text) for one in split.segments] == segments
    assert (split.advance, split.single_timestamp_ending) == (advance, lone)


def test_each_token_keeps_its_log_probability() -> None:
    tokens = decoded(0.0, " One.", 2.0, 2.0, " Two.", 5.0, logprob=-0.25)
    for segment in split_segments(tokens, SEEK, SIZE, TOKENIZER).segments:
        assert segment.logprobs == (-0.25,) * len(segment.tokens)


def test_a_final_segment_has_the_windows_figures() -> None:
    result = decoding_result(decoded(0.0, " One.", 4.0), 0.2, TOKENIZER)
    (segment,) = split_segments(result.decoded, SEEK, SIZE, TOKENIZER).segments
    found = final_segment(segment, SEEK, result, logprobs=False)
    assert (found.seek, found.temperature, found.token_logprobs) == (SEEK, 0.2, ())
    assert found.avg_logprob == result.decoded.avg_logprob
    assert found.compression_ratio == result.compression_ratio > 0
