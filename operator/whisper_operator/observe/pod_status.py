"""What keeps a pod from running, and what a fetching pod reported: pure."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

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
from whisper_operator.objects.kinds import JOB, POD
from whisper_operator.observe.facts import Warned
from whisper_operator.observe.observed import Observed
from whisper_runtime.contract.reports import FetchReport, VerifyReport

NO_TROUBLE: Final = frozenset({"ContainerCreating", "PodInitializing"})
MESSAGE_LIMIT: Final = 500
LIMITED_BY_US: Final = frozenset({"fetch", "verify"})
"""Containers whose memory no field of the spec sets."""
JOB_NAME: Final = "batch.kubernetes.io/job-name"
"""The label by which a Job knows its pods."""
BEFORE_CONTAINERS: Final = frozenset(
    {"FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "Evicted"}
)
"""Warnings of the kubelet about what a pod's status does not tell; done with once its containers can start."""
FAILED_CREATE: Final = "FailedCreate"
"""The Job controller's warning about a pod that it may not create."""
UNHEALTHY: Final = "Unhealthy"
"""The kubelet's warning that a probe fails."""
TELLING: Final = BEFORE_CONTAINERS | {UNHEALTHY}
STARTUP_PROBE: Final = "Startup probe failed"
STILL_STARTING: Final = ("statuscode: 503", "connection refused", "Client.Timeout exceeded")
"""Answers of a server that loads its model, or that does not listen yet, to the startup probe: no trouble."""
TIMED_OUT: Final = "Unable to attach or mount volumes"
"""Beginning of the kubelet's warning that some volume is missing still, after one that told why."""
PULL_FAILED: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"})
"""The kubelet's words, by turns, for an image that it does not get."""
PULL_AGAIN: Final = re.compile(r'^Back-off pulling image "[^"]*": (\w+: )?')
"""What the kubelet puts before the cause while it waits for the next attempt."""


def of(observed: Observed, component: str) -> list[Manifest]:
    """The pods of `component`, newest first."""
    found = (pod for pod in observed.all(POD) if pod["metadata"]["labels"].get(names.LABEL_COMPONENT) == component)
    return sorted(found, key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True)


def of_job(observed: Observed, component: str, job: str | None) -> list[Manifest]:
    """The pods of `component` that this Job made, newest first."""
    return [pod for pod in of(observed, component) if pod["metadata"]["labels"].get(JOB_NAME, job) == job]


def trouble(observed: Observed, component: str) -> tuple[str, str] | None:
    """Reason and message of the newest pod of `component` that cannot run; None where all run or are about to."""
    there = (pod for pod in of(observed, component) if "deletionTimestamp" not in pod["metadata"])
    return next((found for pod in there if not is_ready(pod) and (found := _trouble(pod, observed))), None)


def fetch_report(pod: Manifest) -> FetchReport | None:
    """What `fetch` wrote when it last ended in this pod; None where it has not ended, or wrote something else."""
    for status in _container_statuses(pod):
        for state in (status.get("state", {}), status.get("lastState", {})):
            if report := _report(state.get("terminated", {})):
                return report
    return None


def _report(terminated: Manifest) -> FetchReport | None:
    try:
        return FetchReport.model_validate_json(terminated.get("message", ""))
    except ValidationError:
        return None


def verify_report(pod: Manifest) -> VerifyReport | None:
    """What `verify` wrote when it ended in this pod."""
    ended = (status.get("state", {}).get("terminated", {}) for status in _container_statuses(pod))
    for terminated in ended:
        with contextlib.suppress(ValidationError):
            return VerifyReport.model_validate_json(terminated.get("message", ""))
    return None


def failed_twice(pod: Manifest) -> tuple[str, str] | None:
    """Why a container of `pod` does not run, where it has failed, has been started again, and has failed again."""
    again = (
        status.get("restartCount", 0) > 0 and "running" not in status.get("state", {})
        for status in _container_statuses(pod)
    )
    return _failed_container(pod) if any(again) else None


def condition(live: Manifest, kind: str) -> Manifest | None:
    found = live.get("status", {}).get("conditions") or ()
    return next((one for one in found if one["type"] == kind), None)


def holds(live: Manifest, kind: str) -> bool:
    """Whether the object's condition of that type is True."""
    return (condition(live, kind) or {}).get("status") == "True"


def holds_a_place(pod: Manifest) -> bool:
    """Whether it keeps what it asks for from others, and goes on doing so."""
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return bool(pod.get("spec", {}).get("nodeName")) and not ended and "deletionTimestamp" not in pod["metadata"]


def leaving(observed: Observed, component: str) -> Manifest | None:
    """A pod of `component` that has been told to end and holds its place until it has."""
    there = of(observed, component)
    return next((pod for pod in there if "deletionTimestamp" in pod["metadata"] and _is_running(pod)), None)


def is_on_its_way(observed: Observed, component: str) -> bool:
    """Whether a pod starts without trouble, or ends what it works on.

    The startup probe gives a model half an hour, and a drain takes as long as the spec says: both are longer than a
    Deployment waits for progress.
    """
    if leaving(observed, component):
        return True
    there = (pod for pod in of(observed, component) if "deletionTimestamp" not in pod["metadata"])
    starting = (pod for pod in there if pod.get("status", {}).get("phase") in ("Pending", "Running"))
    return any(not is_ready(pod) and not _trouble(pod, observed) for pod in starting)


def _is_running(pod: Manifest) -> bool:
    return pod.get("status", {}).get("phase") == "Running"


def is_ready(pod: Manifest) -> bool:
    return (condition(pod, "Ready") or {}).get("status") == "True"


def _trouble(pod: Manifest, observed: Observed) -> tuple[str, str] | None:
    found = _unscheduled(pod) or _failed_container(pod) or _warned(pod, observed)
    return (found[0], _short(f"pod {pod['metadata']['name']}: {found[1]}")) if found else None


def _unscheduled(pod: Manifest) -> tuple[str, str] | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled["status"] == "False":
        return UNSCHEDULABLE, scheduled.get("message") or "no node fits"
    return None


def _failed_container(pod: Manifest) -> tuple[str, str] | None:
    return next((found for status in _container_statuses(pod) if (found := _failure(status))), None)


def _failure(status: Manifest) -> tuple[str, str] | None:
    """Why a container does not run; the same words all through a loop of attempts, whatever it does at the moment."""
    state: Manifest = status.get("state", {})
    waiting: Manifest = state.get("waiting", {})
    ended: Manifest = state.get("terminated") or status.get("lastState", {}).get("terminated") or {}
    reason = waiting.get("reason", "ContainerCreating")
    if ended.get("reason") == "OOMKilled":
        is_ours = status.get("name") in LIMITED_BY_US
        remedy = "its limit is the operator's own: report this" if is_ours else "raise spec.resources.limits.memory"
        return OOM_KILLED, f"the container exceeded its memory: {remedy}"
    if reason in PULL_FAILED:
        return IMAGE_PULL_BACK_OFF, PULL_AGAIN.sub("", waiting.get("message", ""))
    if reason == CRASH_LOOP_BACK_OFF or ended.get("exitCode"):
        if report := _report(ended):
            return report.reason, report.message
        loops = reason == CRASH_LOOP_BACK_OFF or status.get("restartCount", 0) > 0
        words = _last_words(ended) or f"the container ended with exit code {ended.get('exitCode', 'unknown')}"
        return (CRASH_LOOP_BACK_OFF if loops else CRASHED), words
    return (reason, waiting.get("message", "")) if reason not in NO_TROUBLE else None


def _warned(pod: Manifest, observed: Observed) -> tuple[str, str] | None:
    """The kubelet's warning, as long as it can still be true."""
    warned = warning(observed, POD.kind, pod["metadata"]["name"], pod["metadata"]["uid"])
    if warned is None or _is_starting(warned.message):
        return None
    can_start = (condition(pod, "PodReadyToStartContainers") or {}).get("status") == "True"
    tells = warned.reason == UNHEALTHY if can_start else warned.reason in BEFORE_CONTAINERS
    return (warned.reason, warned.message) if tells else None


def _is_starting(message: str) -> bool:
    return message.startswith(STARTUP_PROBE) and any(sign in message for sign in STILL_STARTING)


def warning(observed: Observed, kind: str, name: str, uid: str) -> Warned | None:
    """The newest Warning about exactly that object."""
    found = observed.facts.warnings.get((kind, name))
    return found if found is not None and found.uid == uid else None


def not_created(observed: Observed, job: Manifest | None) -> tuple[str, str] | None:
    """Reason and message, where a Job may not create its pod: an unknown class, an admission that refuses it."""
    if job is None or job.get("status", {}).get("active"):
        return None
    warned = warning(observed, JOB.kind, job["metadata"]["name"], job["metadata"]["uid"])
    return (CREATE_FAILED, _short(f"Job {job['metadata']['name']}: {warned.message}")) if warned else None


def _container_statuses(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _last_words(terminated: Manifest) -> str:
    """The last line that a container wrote before it ended; the kubelet keeps it as the termination message.

    Of a line of our own JSON logs only what it says, for its time would make each crash another one.
    """
    message = terminated.get("message", "").strip()
    last = message.splitlines()[-1] if message else ""
    try:
        return json.loads(last)["message"]
    except (ValueError, TypeError, KeyError):
        return last


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"
