"""Whether a window's result is good enough, or silence."""

from __future__ import annotations

import pytest

from whisper_runtime.engine.policy.quality import is_silence, needs_fallback
from whisper_runtime.engine.policy.queries import DecodedTokens
from whisper_runtime.engine.policy.segments import DecodingResult


@pytest.mark.parametrize(
    ("avg_logprob", "compression_ratio", "no_speech_prob", "falls_back", "silent"),
    [
        (-0.3, 1.5, 0.01, False, False),
        (-0.3, 2.5, 0.01, True, False),  # it repeats itself
        (-1.5, 1.5, 0.01, True, False),  # it is improbable
        (-1.5, 1.5, 0.9, False, True),
        (-1.5, 2.5, 0.9, False, True),
        (-0.3, 1.5, 0.9, False, False),  # it is too probable for silence
        (-1.0, 1.5, 0.9, False, True),  # on the threshold
    ],
)
def test_thresholds_are_those_of_upstream(
    avg_logprob: float, compression_ratio: float, no_speech_prob: float, falls_back: bool, silent: bool
) -> None:
    decoded = DecodedTokens((400,), (), 2 * avg_logprob, no_speech_prob)
    assert needs_fallback(DecodingResult(decoded, 0.0, compression_ratio)) == falls_back
    assert is_silence(decoded) == silent
