"""Whether a window's result is good enough, or silence (openai-whisper 20250625, whisper/transcribe.py, defaults)."""

from __future__ import annotations

from typing import Final

from whisper_runtime.engine.policy.queries import DecodedTokens
from whisper_runtime.engine.policy.segments import DecodingResult

COMPRESSION_RATIO_THRESHOLD: Final = 2.4
LOGPROB_THRESHOLD: Final = -1.0
NO_SPEECH_THRESHOLD: Final = 0.6


def needs_fallback(result: DecodingResult) -> bool:
    """Whether the next temperature is tried (transcribe.py, decode_with_fallback)."""
    decoded = result.decoded
    if decoded.no_speech_prob > NO_SPEECH_THRESHOLD and decoded.avg_logprob < LOGPROB_THRESHOLD:
        return False  # silence
    return result.compression_ratio > COMPRESSION_RATIO_THRESHOLD or decoded.avg_logprob < LOGPROB_THRESHOLD


def is_silence(decoded: DecodedTokens) -> bool:
    """Whether the window is skipped as one without speech (transcribe.py, should_skip)."""
    return decoded.no_speech_prob > NO_SPEECH_THRESHOLD and not decoded.avg_logprob > LOGPROB_THRESHOLD
