"""What keeps a pod from running, and what a fetching pod reported: pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from whisper_operator import names
from whisper_operator.api.conditions import CRASHED, OOM_KILLED, UNSCHEDULABLE
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.facts import Warned
from whisper_operator.kinds import POD
from whisper_operator.observed import Observed
from whisper_runtime.contract import FetchReport, VerifyReport

NO_TROUBLE: Final = frozenset({"ContainerCreating", "PodInitializing"})
MESSAGE_LIMIT: Final = 500
TELLING: Final = frozenset(
    {"FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "Unhealthy", "Evicted"}
)
"""Warnings of the kubelet about what a pod's status does not tell."""
STILL_STARTING: Final = ("Startup probe failed: HTTP probe failed with statuscode: 503", "connect: connection refused")
"""A server that loads its model, or that does not listen yet: no trouble."""


def of(observed: Observed, component: str) -> list[Manifest]:
    """The pods of `component`, newest first."""
    found = (pod for pod in observed.all(POD) if pod["metadata"]["labels"].get(names.LABEL_COMPONENT) == component)
    return sorted(found, key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True)


def trouble(observed: Observed, component: str) -> tuple[str, str] | None:
    """Reason and message of the newest pod of `component` that cannot run; None where all run or are about to."""
    there = (pod for pod in of(observed, component) if "deletionTimestamp" not in pod["metadata"])
    return next((found for pod in there if not is_ready(pod) and (found := _trouble(pod, observed))), None)


def fetch_report(pod: Manifest) -> FetchReport | None:
    """What `fetch` wrote when it last ended in this pod; None where it has not ended, or wrote something else."""
    for status in _container_statuses(pod):
        for state in (status.get("state", {}), status.get("lastState", {})):
            if message := state.get("terminated", {}).get("message"):
                try:
                    return FetchReport.model_validate_json(message)
                except ValidationError:
                    continue
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


def condition(pod: Manifest, kind: str) -> Manifest | None:
    found = pod.get("status", {}).get("conditions", ())
    return next((one for one in found if one["type"] == kind), None)


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
    for status in _container_statuses(pod):
        state, last = status.get("state", {}), status.get("lastState", {}).get("terminated", {})
        ended = state.get("terminated") or last
        if ended.get("reason") == "OOMKilled":
            return OOM_KILLED, "the container exceeded its memory: raise spec.resources.limits.memory"
        waiting = state.get("waiting")
        if waiting and waiting.get("reason", "ContainerCreating") not in NO_TROUBLE:
            return waiting["reason"], _last_words(last) or waiting.get("message", "")
        if (failed := state.get("terminated")) and failed.get("exitCode", 0) != 0:
            return CRASHED, _last_words(failed) or f"the container ended with exit code {failed['exitCode']}"
    return None


def _warned(pod: Manifest, observed: Observed) -> tuple[str, str] | None:
    warned = warning(observed, POD.kind, pod["metadata"]["name"], pod["metadata"]["uid"])
    if warned is None or warned.reason not in TELLING or any(sign in warned.message for sign in STILL_STARTING):
        return None
    return warned.reason, warned.message


def warning(observed: Observed, kind: str, name: str, uid: str) -> Warned | None:
    """The newest Warning about exactly that object."""
    found = observed.facts.warnings.get((kind, name))
    return found if found is not None and found.uid == uid else None


def _container_statuses(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _last_words(terminated: Manifest) -> str:
    """The last line that a container wrote before it ended; the kubelet keeps it as the termination message."""
    message = terminated.get("message", "").strip()
    return message.splitlines()[-1] if message else ""


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"
