"""How long the first pod will take, and why none can come: what the front says to clients while no pod serves. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.status import WakePartsStatus
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.manifest import condition, is_being_deleted, is_true
from whisper_operator.observe import pod_status
from whisper_operator.observe.pod_reports import statuses_of
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.front import WakeForecast

LEAST_SECONDS: Final = 1.0
"""Of a step that takes longer than it ever did, so much is still to come."""
PASSING_SECONDS: Final = 15.0
"""For which a pod's trouble may pass by itself: an image is pulled again after 10 s, and an autoscaler of nodes looks
every 10 s for pods that no node has room for."""

ADMINISTRATOR: Final = "Whoever runs this service finds the cause in its status, and can mend it."
OBSTACLES: Final = {
    c.UNSCHEDULABLE: "no node of the cluster has room for it",
    c.IMAGE_PULL_BACK_OFF: "its image cannot be pulled",
    c.CREATE_FAILED: "the cluster refuses to create it, as where a quota is used up",
    c.CRASH_LOOP_BACK_OFF: "it ends again and again while it starts",
    c.OOM_KILLED: "it needs more memory than it may have",
}
"""For clients: neither nodes nor Secrets nor addresses are named."""
ANOTHER_OBSTACLE: Final = "the cluster cannot start it"
PASSING: Final = frozenset({c.CRASHED, c.OOM_KILLED})
"""Causes that count once a container has met them twice."""


@dataclass(frozen=True)
class WakeOutlook:
    """What is known of the wake that is under way, or of the one that a request would begin."""

    steps: tuple[float, ...] = ()
    """Seconds of each step that is still to come, the present one first; empty: none was ever measured."""
    since: float | None = None
    """Unix time at which the present step began; None: no pod is wanted yet."""
    audio_speed: float | None = None
    """Seconds of audio that a pod transcribes in a second; None: not known."""
    obstacle: str | None = None
    """Why no pod can come; None: nothing is known against it."""
    obstacle_counts_from: float = 0.0
    """Unix time until which it may pass by itself."""

    def at(self, now: float) -> WakeForecast:
        is_obstructed = self.obstacle is not None and now >= self.obstacle_counts_from
        return WakeForecast(
            expected_seconds=self._seconds_left(now),
            audio_speed=self.audio_speed,
            cannot_come=self.obstacle if is_obstructed else None,
        )

    def _seconds_left(self, now: float) -> float | None:
        if not self.steps:
            return None
        passed = 0.0 if self.since is None else now - self.since
        return max(LEAST_SECONDS, self.steps[0] - passed) + sum(self.steps[1:])


def is_awaited(resolved: Resolved) -> bool:
    """Whether clients reach a front while no pod serves."""
    front, pods = resolved.front, resolved.server_pods
    if front is None or not front.is_wanted or front.is_suspended:
        return False
    return resolved.wanted_pods == 0 or not any(pod_status.is_ready(pod) and not is_being_deleted(pod) for pod in pods)


def resolve_outlook(resolved: Resolved) -> WakeOutlook:
    """The outlook of a service of which no pod is ready."""
    performance, record = resolved.service.status.performance, resolved.service.status.scale_to_zero
    speeds = (record and record.audio_speed, performance and performance.realtime_factor)
    first = None if resolved.wanted_pods == 0 else _first_pod(resolved.server_pods)
    begun, since = _present_step(resolved, first)
    trouble = None if resolved.wanted_pods == 0 else _obstacle(resolved, first)
    return WakeOutlook(
        steps=_usual_steps(record.wakes if record else ())[begun:],
        since=since,
        audio_speed=next(filter(None, speeds), None),
        obstacle=f"No server can be started: {trouble[0]}. {ADMINISTRATOR}" if trouble else None,
        obstacle_counts_from=trouble[1] if trouble else 0.0,
    )


def parts_of_wake(pod: Manifest, woken: float) -> WakePartsStatus:
    """What each step took of a pod that is ready; `woken`: Unix time from which it was wanted."""
    scheduled, started, ready = _scheduled(pod), _started(pod), pod_status.ready_since([pod])
    after_schedule = woken if scheduled is None else max(woken, scheduled)
    after_start = after_schedule if started is None else max(after_schedule, started)
    return WakePartsStatus(
        schedule_seconds=round(after_schedule - woken),
        start_seconds=round(after_start - after_schedule),
        load_seconds=max(0, round(ready[0] - after_start)) if ready else 0,
    )


def _usual_steps(wakes: Sequence[WakePartsStatus]) -> tuple[float, ...]:
    """The median of each step."""
    if not wakes:
        return ()
    steps = zip(*((one.schedule_seconds, one.start_seconds, one.load_seconds) for one in wakes), strict=True)
    return tuple(float(median(seconds)) for seconds in steps)


def _first_pod(pods: Sequence[Manifest]) -> Manifest | None:
    """The pod that is furthest on its way; None where none has been created."""
    coming = [pod for pod in pods if not is_being_deleted(pod)]
    return max(coming, key=lambda pod: (_started(pod) is not None, _scheduled(pod) is not None), default=None)


def _present_step(resolved: Resolved, pod: Manifest | None) -> tuple[int, float | None]:
    """The place of the step that is under way, and the Unix time at which it began."""
    if resolved.wanted_pods == 0 or resolved.scaled:
        return 0, resolved.observed.facts.now if resolved.scaled and resolved.wanted_pods else None
    if pod is None:
        record = resolved.service.status.scale_to_zero
        return 0, unix(record.last_wake) if record and record.last_wake else resolved.observed.facts.now
    if (started := _started(pod)) is not None:
        return 2, started
    if (scheduled := _scheduled(pod)) is not None:
        return 1, scheduled
    return 0, unix(pod["metadata"]["creationTimestamp"])


def _obstacle(resolved: Resolved, pod: Manifest | None) -> tuple[str, float] | None:
    """What keeps the first pod from coming, and from when on that counts; None: nothing that would stay."""
    if is_true(resolved.deployment or {}, "ReplicaFailure") and pod is None:
        return OBSTACLES[c.CREATE_FAILED], 0.0
    if pod is None:
        return None
    if again := pod_status.failed_twice(pod):
        return OBSTACLES.get(again.reason, ANOTHER_OBSTACLE), 0.0
    cause = pod_status.cause_of([pod], {})
    if cause is None or cause.is_sidecars or cause.reason in PASSING:
        return None
    if cause.reason == c.UNSCHEDULABLE and pod["metadata"]["uid"] in resolved.observed.facts.awaited_nodes:
        return None
    began = _scheduled(pod) or unix(pod["metadata"]["creationTimestamp"])
    return OBSTACLES.get(cause.reason, ANOTHER_OBSTACLE), began + PASSING_SECONDS


def _scheduled(pod: Manifest) -> float | None:
    """Unix time at which a node was found for the pod; None: none has been."""
    if not is_true(pod, "PodScheduled"):
        return None
    at = (condition(pod, "PodScheduled") or {}).get("lastTransitionTime")
    return unix(at) if at else None


def _started(pod: Manifest) -> float | None:
    """Unix time at which the server's container began to run; None: it does not."""
    running = (status.get("state", {}).get("running", {}) for status in statuses_of(pod, names.SERVER))
    return next((unix(one["startedAt"]) for one in running if "startedAt" in one), None)


def unix(written: str) -> float:
    return datetime.datetime.fromisoformat(written).timestamp()
