"""The program that a store runs to take tokens: its key, its arguments, its reply. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whisper_runtime.service.rate_limits import RateBucket, RateLimits
from whisper_runtime.service.shared.program_call import ProgramCall, service_key

PROGRAM: Final = Path(__file__).with_name("token_buckets.lua").read_text()
EXHAUSTED: Final[tuple[RateBucket | None, ...]] = (None, "requests", "audio")
"""By the reply's first number."""


@dataclass(frozen=True)
class TokensLeft:
    exhausted: RateBucket | None
    """The bucket for which the client has to wait; None: the tokens were taken."""
    requests: float
    audio_seconds: float


def key_of(prefix: str, client: str) -> str:
    """The key of a client's buckets; the client's name or address is not stored, only its digest."""
    return service_key(prefix, f"rates:{hashlib.sha256(client.encode()).hexdigest()[:32]}")


def taking(
    key: str, limits: RateLimits, *, requests: float = 0.0, audio_seconds: float = 0.0, decides: bool
) -> ProgramCall:
    """The call that takes so many tokens; `decides`: only where the client need not wait."""
    numbers = (limits.requests_capacity, limits.audio_capacity, requests, audio_seconds)
    return ProgramCall(PROGRAM, (key,), ("1" if decides else "0", *map(repr, map(float, numbers))))


def tokens_left(reply: Sequence[bytes | int]) -> TokensLeft:
    """The reply to such a call."""
    outcome, requests, audio_seconds = reply
    return TokensLeft(EXHAUSTED[int(outcome)], float(requests), float(audio_seconds))
