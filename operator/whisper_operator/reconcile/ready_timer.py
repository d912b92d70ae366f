"""Measures how long services take from a change of their spec to Ready."""

from __future__ import annotations

import time

from whisper_operator.api import conditions as c
from whisper_operator.api.status import Status
from whisper_operator.observe.records import Key
from whisper_operator.telemetry import metrics


class ReadyTimer:
    """Counts each generation once, and only one that this process saw come."""

    def __init__(self) -> None:
        self._since: dict[Key, tuple[int, float]] = {}
        """Each service's generation, and when it was first seen; 0 once it is Ready."""

    def start(self, key: Key, generation: int, status: Status) -> None:
        """Starts the clock for a generation that is new; `status`: of before the pass."""
        if key not in self._since or self._since[key][0] != generation:
            self._since[key] = (generation, 0.0 if _follows(status, generation) else time.monotonic())

    def stop(self, key: Key, status: Status) -> None:
        """Observes the metric where `status`, which has been written, is the first to be Ready."""
        generation, since = self._since[key]
        if since > 0 and _follows(status, generation):
            metrics.READY_SECONDS.observe(time.monotonic() - since)
            self._since[key] = (generation, 0.0)

    def forget(self, key: Key) -> None:
        self._since.pop(key, None)


def _follows(status: Status, generation: int) -> bool:
    """Whether the service is Ready as that generation wants it, and nothing goes on."""
    found = {one.type: one.status for one in status.conditions}
    return status.observed_generation == generation and found.get(c.READY) == "True" and c.RECONCILING not in found
