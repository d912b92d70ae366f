"""Why a pod does not run, by its own status and by the warnings about it: pure."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from whisper_operator.api.conditions import (
    CRASH_LOOP_BACK_OFF,
    CRASHED,
    CREATE_FAILED,
    IMAGE_PULL_BACK_OFF,
    OOM_KILLED,
    UNSCHEDULABLE,
)
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.denials import metadata_remedy
from whisper_operator.objects.kinds import JOB, POD
from whisper_operator.objects.manifest import condition, is_being_deleted, is_true, labels_of, status_of
from whisper_operator.observe.facts import KubernetesWarning
from whisper_operator.observe.pod_reports import FETCH, VERIFY, container_statuses, report_in

ENDED: Final = ("Succeeded", "Failed")
STARTING: Final = ("Pending", "Running")
"""Phases of a pod."""
STILL_CREATED: Final = frozenset({"ContainerCreating", "PodInitializing"})
MESSAGE_LIMIT: Final = 500
MEMORY_FIELDS: Final = {
    names.SERVER: "spec.resources.limits.memory",
    FETCH: "spec.prefetch.resources.limits.memory",
    VERIFY: "spec.verification.resources.limits.memory",
    names.FRONT: "spec.front.resources.limits.memory",
}
"""The field that limits the memory of a container of ours, by the container's name; any other is a sidecar."""
JOB_NAME: Final = "batch.kubernetes.io/job-name"
"""The label by which a Job knows its pods."""
BEFORE_CONTAINERS: Final = frozenset(
    {
        "FailedMount",
        "FailedAttachVolume",
        "FailedMapVolume",
        "FailedPrepareDynamicResources",
        "FailedCreatePodSandBox",
        "Evicted",
    }
)
"""Warnings of the kubelet about what a pod's status does not show; obsolete once its containers can start."""
CLAIM_REFUSED: Final = "FailedResourceClaimCreation"
"""The warning that a pod gets no ResourceClaim, for which the scheduler waits without a word; obsolete on a node."""
FAILED_CREATE: Final = "FailedCreate"
"""The Job controller's warning about a pod that it may not create."""
UNHEALTHY: Final = "Unhealthy"
"""The kubelet's warning that a probe fails."""
TELLING: Final = BEFORE_CONTAINERS | {UNHEALTHY, CLAIM_REFUSED}
STARTUP_PROBE: Final = "Startup probe failed"
STILL_STARTING: Final = ("statuscode: 503", "connection refused", "Client.Timeout exceeded")
"""Answers of a server that loads its model, or that does not listen yet, to the startup probe: no trouble."""
TIMED_OUT: Final = "Unable to attach or mount volumes"
"""Start of the kubelet's later warning that a volume is still missing, after the one that names the cause."""
OF_ATTEMPT: Final = re.compile(r'^\(combined from similar events\): |(?<=resourceclaims\.resource\.k8s\.io) "[^"]*"')
"""What differs in the warnings of each attempt to create a claim: the name that it would have had, and their number."""
PULL_FAILED: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"})
"""The kubelet's reasons, by turns, while it cannot pull an image."""
PULL_AGAIN: Final = re.compile(r'^Back-off pulling image "[^"]*": (\w+: )?')
"""The kubelet's prefix to the cause while it waits for the next attempt."""


@dataclass(frozen=True)
class Cause:
    """Why something does not run, or did not end well: reason and message of a condition."""

    reason: str
    message: str
    is_sidecars: bool = False
    """Whether a container that is not the operator's own is the cause."""


Warnings = Mapping[tuple[str, str], KubernetesWarning]
"""The newest warning about each object of a namespace, by kind and name."""


def of_job(pods: Iterable[Manifest], job: str | None) -> list[Manifest]:
    """The pods among `pods` that this Job created, in their order."""
    return [pod for pod in pods if labels_of(pod).get(JOB_NAME, job) == job]


def cause_of(pods: Iterable[Manifest], warnings: Warnings) -> Cause | None:
    """The cause of the first of `pods` that cannot run; None where all run or are about to."""
    staying = (pod for pod in pods if not is_being_deleted(pod) and not is_ready(pod))
    return next((found for pod in staying if (found := _cause(pod, warnings))), None)


def failed_twice(pod: Manifest) -> Cause | None:
    """Why a container of ours in `pod` does not run, where it failed, was started again, and has failed again."""
    again = (
        _failure(status)
        for status in container_statuses(pod)
        if status.get("name") in MEMORY_FIELDS
        and status.get("restartCount", 0) > 0
        and "running" not in status.get("state", {})
    )
    return next(filter(None, again), None)


def holds_node(pod: Manifest) -> bool:
    """Whether it keeps its requests of a node from others, and goes on doing so."""
    ended = status_of(pod).get("phase") in ENDED
    return bool(pod.get("spec", {}).get("nodeName")) and not ended and not is_being_deleted(pod)


def leaving(pods: Iterable[Manifest]) -> Manifest | None:
    """The first of `pods` that is terminating and keeps its node until it has ended."""
    return next((pod for pod in pods if is_being_deleted(pod) and status_of(pod).get("phase") == "Running"), None)


def is_on_its_way(pods: Iterable[Manifest], warnings: Warnings) -> bool:
    """Whether one of `pods` starts without failing, or ends what it works on.

    The startup probe gives a model half an hour, and a drain takes as long as the spec allows: both are longer than a
    Deployment waits for progress.
    """
    if leaving(pods):
        return True
    starting = (pod for pod in pods if not is_being_deleted(pod) and status_of(pod).get("phase") in STARTING)
    return any(not is_ready(pod) and not _cause(pod, warnings) for pod in starting)


def is_unplaced(pod: Manifest) -> bool:
    """Whether the scheduler has found no node for it."""
    return _unscheduled(pod) is not None


def is_ready(pod: Manifest) -> bool:
    return is_true(pod, "Ready")


def ready_since(pods: Iterable[Manifest]) -> list[float]:
    """When each of the pods that are ready became so, as Unix times; of one that does not say when, nothing."""
    conditions = [condition(pod, "Ready") or {} for pod in pods if is_ready(pod)]
    times = [one["lastTransitionTime"] for one in conditions if "lastTransitionTime" in one]
    return [datetime.datetime.fromisoformat(time).timestamp() for time in times]


def warning_about(warnings: Warnings, kind: str, body: Manifest) -> KubernetesWarning | None:
    """The newest warning about exactly that object, and not about another of its name."""
    found = warnings.get((kind, body["metadata"]["name"]))
    return found if found is not None and found.uid == body["metadata"]["uid"] else None


def not_created(job: Manifest | None, warnings: Warnings) -> Cause | None:
    """The cause where a Job may not create its pod: an unknown class, an admission that refuses it."""
    if job is None or status_of(job).get("active"):
        return None
    warned = warning_about(warnings, JOB.kind, job)
    if warned is None:
        return None
    message = _short(f"Job {job['metadata']['name']}: {warned.message}")
    return Cause(CREATE_FAILED, message + metadata_remedy(message, "spec.podMetadata"))


def _cause(pod: Manifest, warnings: Warnings) -> Cause | None:
    found = _unscheduled(pod) or _failed_container(pod) or _warned(pod, warnings)
    return replace(found, message=_short(f"pod {pod['metadata']['name']}: {found.message}")) if found else None


def _unscheduled(pod: Manifest) -> Cause | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled["status"] == "False":
        return Cause(UNSCHEDULABLE, scheduled.get("message") or "no node fits")
    return None


def _failed_container(pod: Manifest) -> Cause | None:
    """The failure of a container of ours, else that of a sidecar."""
    failures = [found for status in container_statuses(pod) if (found := _of_container(status))]
    return next((found for found in failures if not found.is_sidecars), failures[0] if failures else None)


def _of_container(status: Manifest) -> Cause | None:
    name, found = status.get("name", ""), _failure(status)
    if found is None or name in MEMORY_FIELDS:
        return found
    return Cause(found.reason, f"container {name}: {found.message}", is_sidecars=True)


def _failure(status: Manifest) -> Cause | None:
    """Why a container does not run: the same cause all through a loop of attempts, whatever it does at the moment."""
    state: Manifest = status.get("state", {})
    waiting: Manifest = state.get("waiting", {})
    ended: Manifest = state.get("terminated") or status.get("lastState", {}).get("terminated") or {}
    reason = waiting.get("reason", "ContainerCreating")
    if ended.get("reason") == "OOMKilled":
        field = MEMORY_FIELDS.get(status.get("name", ""), "it")
        return Cause(OOM_KILLED, f"the container exceeded its memory limit: raise {field}")
    if reason in PULL_FAILED:
        return Cause(IMAGE_PULL_BACK_OFF, PULL_AGAIN.sub("", waiting.get("message", "")))
    if reason == CRASH_LOOP_BACK_OFF or ended.get("exitCode"):
        if report := report_in(ended):
            return Cause(report.reason, report.message)
        loops = reason == CRASH_LOOP_BACK_OFF or status.get("restartCount", 0) > 0
        message = _last_line(ended) or f"the container ended with exit code {ended.get('exitCode', 'unknown')}"
        return Cause(CRASH_LOOP_BACK_OFF if loops else CRASHED, message)
    return Cause(reason, waiting.get("message", "")) if reason not in STILL_CREATED else None


def _warned(pod: Manifest, warnings: Warnings) -> Cause | None:
    """The newest warning about it, as long as it can still be true."""
    warned = warning_about(warnings, POD.kind, pod)
    if warned is None or _is_starting(warned.message):
        return None
    return Cause(warned.reason, OF_ATTEMPT.sub("", warned.message)) if _can_be_true(pod, warned.reason) else None


def _can_be_true(pod: Manifest, reason: str) -> bool:
    if reason == CLAIM_REFUSED:
        return not pod.get("spec", {}).get("nodeName")
    return (reason == UNHEALTHY) if is_true(pod, "PodReadyToStartContainers") else (reason in BEFORE_CONTAINERS)


def _is_starting(message: str) -> bool:
    return message.startswith(STARTUP_PROBE) and any(sign in message for sign in STILL_STARTING)


def _last_line(terminated: Manifest) -> str:
    """The last line that a container wrote before it ended; the kubelet keeps it as the termination message.

    A line of our own JSON logs counts by its message alone, because its time would make each crash another one.
    """
    message = terminated.get("message", "").strip()
    last = message.splitlines()[-1] if message else ""
    try:
        return json.loads(last)["message"]
    except (ValueError, TypeError, KeyError):
        return last


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"
