"""What keeps a pod from running, and what a fetching pod reported: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from whisper_operator import names
from whisper_operator.api.conditions import UNSCHEDULABLE
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kinds import POD
from whisper_operator.observed import Observed
from whisper_runtime.contract import FetchReport

NO_TROUBLE: Final = frozenset({"ContainerCreating", "PodInitializing"})
MESSAGE_LIMIT: Final = 500


def of(observed: Observed, component: str) -> list[Manifest]:
    """The pods of `component`, newest first."""
    found = (pod for pod in observed.all(POD) if pod["metadata"]["labels"].get(names.LABEL_COMPONENT) == component)
    return sorted(found, key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True)


def trouble(pods: list[Manifest]) -> tuple[str, str] | None:
    """Reason and message of the first pod that cannot run; None where all run or are about to."""
    return next((found for pod in pods if (found := _trouble(pod))), None)


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


def _trouble(pod: Manifest) -> tuple[str, str] | None:
    name = pod["metadata"]["name"]
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return UNSCHEDULABLE, _short(f"pod {name}: {condition.get('message', 'no node fits')}")
    for status in _container_statuses(pod):
        waiting = status.get("state", {}).get("waiting")
        if waiting and waiting.get("reason", "ContainerCreating") not in NO_TROUBLE:
            return waiting["reason"], _short(f"pod {name}: {_last_words(status) or waiting.get('message', '')}")
    return None


def _container_statuses(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _last_words(status: Manifest) -> str:
    """The last line that a container wrote before it ended; the kubelet keeps it as the termination message."""
    message = status.get("lastState", {}).get("terminated", {}).get("message", "").strip()
    return message.splitlines()[-1] if message else ""


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_LIMIT else f"{message[: MESSAGE_LIMIT - 1]}…"
