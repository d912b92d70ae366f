"""The reports that `fetch` and `verify` leave in a container's termination message: pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import status_of
from whisper_runtime.contract.reports import FetchReport, VerifyReport

R = TypeVar("R", bound=BaseModel)


def fetch_report(pod: Manifest) -> FetchReport | None:
    """The report of the last `fetch` that ended in this pod; None where none has ended, or it wrote something else."""
    states = (status.get(of, {}) for status in container_statuses(pod) for of in ("state", "lastState"))
    return next((found for state in states if (found := report_in(state.get("terminated", {})))), None)


def report_in(terminated: Manifest) -> FetchReport | None:
    """The report in a container's `terminated` state; None where its message is something else."""
    return _parsed(FetchReport, terminated)


def verify_report(pod: Manifest) -> VerifyReport | None:
    """The report of the `verify` that ended in this pod; None where none has, or it wrote something else."""
    ended = (status.get("state", {}).get("terminated", {}) for status in container_statuses(pod))
    return next((found for terminated in ended if (found := _parsed(VerifyReport, terminated))), None)


def container_statuses(pod: Manifest) -> Iterator[Manifest]:
    """The statuses of the pod's init containers, then those of its containers."""
    status = status_of(pod)
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _parsed(report: type[R], terminated: Manifest) -> R | None:
    message = terminated.get("message", "")
    try:
        return report.model_validate_json(message) if message else None
    except ValidationError:
        return None
