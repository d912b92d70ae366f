"""An answer by a result that was kept, and what its headers say of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.errors import HttpError
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.result_cache.content import Hit
from whisper_runtime.service.result_cache.headers import CACHE_STATUS
from whisper_runtime.service.result_cache.metrics import CacheMetrics, Outcome
from whisper_runtime.service.transcribe import SegmentStream

NAME: Final = "whisper"
"""Of this cache, in the header of RFC 9211."""
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


def replay(hit: Hit, admitted: Admitted, metrics: CacheMetrics, stream: SegmentStream | None) -> Transcription:
    """The kept transcription, whose segments `stream` gets as its first reader did."""
    age = {"Age": str(int(hit.age))}
    note_outcome(admitted, metrics, "hit", f"hit; ttl={int(hit.seconds_left)}", age)
    result = hit.result
    if stream is not None:
        for window in result.replay():
            stream.put(window)
        stream.accepted.set()
    metrics.saved(result.transcription.audio_seconds, result.model_seconds)
    return result.transcription


def note_outcome(
    admitted: Admitted, metrics: CacheMetrics, outcome: Outcome, status: str, headers: Mapping[str, str] = NO_HEADERS
) -> None:
    """Counts a request, and gives its answer these headers."""
    metrics.requested(outcome)
    admitted.cache_headers = {**status_header(status), **headers}


def status_header(status: str) -> dict[str, str]:
    """The header that says what the cache did (RFC 9211)."""
    return {CACHE_STATUS: f"{NAME}; {status}"}


def not_kept() -> HttpError:
    """504, as RFC 9111, section 5.2.1.7, has it."""
    message = "`Cache-Control` has only-if-cached, and no result of this is kept: leave it out, to have one made."
    return HttpError(504, message, param="Cache-Control", code="not_cached")
