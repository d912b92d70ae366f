"""The reports that `fetch` and `verify` leave in their container's termination message: pure.

Containers are told by their names: an injector may put its own before ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.objects.manifest import annotations_of, status_of
from whisper_runtime.contract.reports import FetchReport, VerifyReport

R = TypeVar("R", bound=BaseModel)
FETCH: Final = "fetch"
FETCH_ENCODER: Final = "fetch-encoder"
VERIFY: Final = "verify"
"""Names of containers."""


def fetch_report(pod: Manifest, container: str = FETCH) -> FetchReport | None:
    """The report of the last `fetch` that ended in this pod; None where none has ended, or it wrote something else.

    `container`: which of them, the model's or the encoder's.
    """
    states = (status.get(of, {}) for status in statuses_of(pod, container) for of in ("state", "lastState"))
    return next((found for state in states if (found := report_in(state.get("terminated", {})))), None)


def report_in(terminated: Manifest) -> FetchReport | None:
    """The report in a container's `terminated` state; None where its message is something else."""
    return _parsed(FetchReport, terminated)


def verify_report(pod: Manifest) -> VerifyReport | None:
    """The report of the `verify` that ended in this pod; None where none has, or it wrote something else."""
    ended = (status.get("state", {}).get("terminated", {}) for status in statuses_of(pod, VERIFY))
    return next((found for terminated in ended if (found := _parsed(VerifyReport, terminated))), None)


def kept_report(report: type[R], job: Manifest) -> R | None:
    """The report of that type which the Job itself keeps, after a sidecar has outlived its container; else None."""
    return _parsed(report, {"message": annotations_of(job).get(names.ANNOTATION_REPORT, "")})


def is_outlived(pod: Manifest, container: str) -> bool:
    """Whether `container` has ended, and another one keeps the pod running; a native sidecar ends by itself."""
    others = (one for one in status_of(pod).get("containerStatuses", ()) if one.get("name") != container)
    has_ended = any("terminated" in one.get("state", {}) for one in statuses_of(pod, container))
    return has_ended and any("running" in one.get("state", {}) for one in others)


def statuses_of(pod: Manifest, container: str) -> Iterator[Manifest]:
    """The status of the container of that name, where it has one yet."""
    return (status for status in container_statuses(pod) if status.get("name") == container)


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
