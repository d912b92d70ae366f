"""How often each verb is called a second, by a service of many pods: pure. The times are those of the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from whisper_runtime.service.jobs.worker import LOOK_SECONDS, TIDY_SECONDS
from whisper_runtime.service.shared.shared_flights import LEASE_SECONDS, RENEWALS
from whisper_runtime.service.shared.shared_store import PERIOD_SECONDS
from whisper_runtime.service.shared.store_caller import CONNECTIONS
from whisper_runtime.service.shared.store_client import MAX_CONNECTIONS

DAY_SECONDS: Final = 86_400
WINDOW_SECONDS: Final = 30.0
"""Of audio, after which a job's progress is noted."""
MOST_CLIENTS: Final = 10_000
"""Connections that Valkey accepts by default (valkey.conf, maxclients)."""


@dataclass(frozen=True)
class Fleet:
    """A service, and what is asked of it."""

    pods: int = 1000
    audio_minutes_a_day: float = 10e6
    peak: float = 3.0
    """The busiest minute, by the day's mean."""
    recording_seconds: float = 60.0
    job_share: float = 0.2
    """Of requests, which are jobs; clients ask four times for one."""
    hit_share: float = 0.1
    """Of requests that wait for their answer, whose result is kept."""
    speed: float = 25.0
    """Seconds of audio that a pod transcribes of one recording in a second."""

    @property
    def requests(self) -> float:
        """A second, at the peak."""
        return self.audio_minutes_a_day * 60 / DAY_SECONDS * self.peak / self.recording_seconds

    @property
    def connections(self) -> int:
        """To the store, at most."""
        return self.pods * (MAX_CONNECTIONS + CONNECTIONS)

    def times(self, factor: float) -> Fleet:
        """As many times the audio, and the pods that it takes."""
        return Fleet(
            round(self.pods * factor),
            self.audio_minutes_a_day * factor,
            self.peak,
            self.recording_seconds,
            self.job_share,
            self.hit_share,
            self.speed,
        )

    def calls(self) -> Mapping[str, float]:
        """A second at the peak, by verb."""
        jobs = self.requests * self.job_share
        hits = (self.requests - jobs) * self.hit_share
        misses = self.requests - jobs - hits
        renewals = self.recording_seconds / self.speed / (LEASE_SECONDS / RENEWALS)
        return {
            "rate": self.requests + misses + jobs,
            "find": 2 * hits + 4 * misses + 2 * jobs,
            "keep": 3 * misses + 2 * jobs,
            "turn": (2 + renewals) * misses,
            "put": jobs,
            "claim": jobs,
            "look": self.pods / LOOK_SECONDS,
            "renew": jobs * max(1.0, self.recording_seconds / WINDOW_SECONDS),
            "finish": jobs,
            "get": jobs,
            "placed": 4 * jobs,
            "result": jobs,
            "statistics": self.pods / TIDY_SECONDS,
            "expire": self.pods / TIDY_SECONDS,
            "info": self.pods / PERIOD_SECONDS,
        }
