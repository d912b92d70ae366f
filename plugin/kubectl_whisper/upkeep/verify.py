"""Has a service verified now: the Job of its last verification is deleted, and the operator makes another.

That is the operator's own way (docs/explanation/models.md): the Job is the record of the rollout's verification.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from kubectl_whisper.kube_api import Failure, KubeApi, path_of

LOOK_SECONDS: Final = 2.0
ENDS: Final = frozenset({"Complete", "Failed", "Suspended"})
"""Conditions of a Job that has ended; the operator suspends one whose pod a sidecar keeps running."""
VERIFIED: Final = "Verified"
VERIFIES: Final = ("batch/v1", "jobs")


@dataclass(frozen=True)
class VerifiedRow:
    """One check of a verification."""

    check: str
    passed: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What a verification came to."""

    passed: bool
    message: str
    checks: tuple[VerifiedRow, ...]
    speed: float | None
    """Seconds of audio for each second; None: not measured."""


@dataclass(frozen=True)
class WaitClock:
    """Time as the wait needs it; tests have another."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def verify(
    api: KubeApi, name: str, seconds: float, notice: Callable[[str], None], clock: WaitClock | None = None
) -> Verification:
    """Waits up to `seconds` for the outcome; `notice` takes each new word of what it waits for.

    Raises Failure where the service cannot be verified now, and where the time is over.
    """
    clock = clock or WaitClock()
    _check_serves(api.whisper_service(name))
    old = _begin(api, name, notice)
    deadline, last = clock.now() + seconds, ""
    while True:
        job = _newest(_jobs(api, name), old)
        service = api.whisper_service(name)
        if job is not None and (found := outcome(service, job)):
            return found
        waits = _waits_for(service, job)
        if waits != last:
            notice(waits)
        last = waits
        if clock.now() > deadline:
            raise Failure(f"{name} was not verified within {seconds:.0f} s: {waits}; look again by `status {name}`")
        clock.sleep(LOOK_SECONDS)


def outcome(service: Mapping[str, Any], job: Mapping[str, Any]) -> Verification | None:
    """None while the Job runs, and until the operator has written what came of it."""
    ended = _end_of(job)
    said = _condition(service, VERIFIED)
    expected = {"Complete": ("True",), "Failed": ("False",), "Suspended": ("True", "False")}.get(ended, ())
    if said.get("status") not in expected:
        return None
    status = service["status"]
    checks = tuple(
        VerifiedRow(one["name"], str(one["passed"]), one.get("message", ""))
        for one in status.get("verification", {}).get("checks", ())
    )
    speed = status.get("performance", {}).get("realtimeFactor")
    return Verification(said["status"] == "True", said.get("message", ""), checks, speed)


def _check_serves(service: Mapping[str, Any]) -> None:
    """Raises Failure where no verification would come: nothing is deleted then."""
    name, spec, status = service["metadata"]["name"], service["spec"], service.get("status", {})
    asked = spec.get("verification")
    if asked is None or asked.get("enabled") is False:
        raise Failure(f"{name} is not verified: add `verification: {{}}` to its spec")
    if not status.get("availableReplicas"):
        why = _condition(service, "Ready").get("message") or "see `status`"
        raise Failure(f"{name} has no available pod that could be verified: {why}")


def _begin(api: KubeApi, name: str, notice: Callable[[str], None]) -> frozenset[str]:
    """Deletes Jobs that have ended; returns their UIDs. One that runs is waited for instead; raises Failure."""
    jobs = list(_jobs(api, name))
    if any(not _end_of(job) for job in jobs):
        notice("a verification is under way")
        return frozenset(job["metadata"]["uid"] for job in jobs if _end_of(job))
    for job in jobs:
        api.delete(f"{path_of(*VERIFIES, api.namespace)}/{quote(job['metadata']['name'])}", job["metadata"]["uid"])
    return frozenset(job["metadata"]["uid"] for job in jobs)


def _jobs(api: KubeApi, name: str) -> Iterable[dict[str, Any]]:
    return api.children(*VERIFIES, name, "verify")


def _newest(jobs: Iterable[dict[str, Any]], old: frozenset[str]) -> dict[str, Any] | None:
    """The last one that was made, but for those that were there; None until there is another."""
    new = [job for job in jobs if job["metadata"]["uid"] not in old]
    return max(new, key=lambda job: job["metadata"]["creationTimestamp"], default=None)


def _end_of(job: Mapping[str, Any]) -> str:
    """Empty while it runs."""
    conditions = job.get("status", {}).get("conditions", ())
    return next((one["type"] for one in conditions if one["type"] in ENDS and one["status"] == "True"), "")


def _condition(service: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Empty where the service has none of that type."""
    conditions: list[dict[str, Any]] = service.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == kind), dict[str, Any]())


def _waits_for(service: Mapping[str, Any], job: Mapping[str, Any] | None) -> str:
    if job is None:
        return "the operator has not begun yet"
    return _condition(service, VERIFIED).get("message") or "real requests are being sent"
