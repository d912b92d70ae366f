"""What waits as jobs, in steps so coarse that a queue which moves makes few writes of status (ADR 49). Pure."""

from __future__ import annotations

import datetime
from typing import Final

from whisper_operator.api.status import JobsStatus
from whisper_operator.api.units import canonical_duration
from whisper_operator.resolve.resolved import Resolved

HOUR: Final = 3600
STEPS: Final = (0, 60, 300, 900, 1800, *(hours * HOUR for hours in (1, 2, 5, 10, 24, 48, 120, 240, 720)))
"""Seconds of audio that the status distinguishes."""
OLD_SECONDS: Final = 600
"""From this age on the oldest job is shown, and its time is rounded to as much."""


def jobs_status(resolved: Resolved) -> JobsStatus | None:
    """None where the spec has no jobs. Where no pod tells, jobs are as they were: the store outlives its pods."""
    if resolved.service.spec.jobs is None:
        return None
    report = resolved.observed.facts.jobs
    if report is None:
        return resolved.service.status.jobs
    return JobsStatus(
        queued_audio=canonical_duration(step(report.queued_audio_seconds)) or "0s",
        oldest_queued=since(report.oldest_queued, resolved.observed.facts.now),
    )


def step(seconds: float) -> int:
    """The largest of STEPS that is not above `seconds`."""
    return max(one for one in STEPS if one <= max(0.0, seconds))


def since(oldest: float | None, now: float) -> str | None:
    """When the oldest job was accepted, in RFC 3339; None where it has hardly waited. Both are Unix times."""
    if oldest is None or now - oldest < OLD_SECONDS:
        return None
    rounded = datetime.datetime.fromtimestamp(oldest // OLD_SECONDS * OLD_SECONDS, datetime.UTC)
    return rounded.strftime("%Y-%m-%dT%H:%M:%SZ")
