"""The conditions of a WhisperService: their types, their reasons, and how one follows another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from whisper_operator.api.report import Condition

READY: Final = "Ready"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
PREFLIGHT_PASSED: Final = "PreflightPassed"
MODEL_CACHED: Final = "ModelCached"
AVAILABLE: Final = "Available"
EXPOSED: Final = "Exposed"
MONITORED: Final = "Monitored"
AUTOSCALING_ACTIVE: Final = "AutoscalingActive"
RUNTIME_UPDATE_AVAILABLE: Final = "RuntimeUpdateAvailable"

ADDRESS_ASSIGNED: Final = "AddressAssigned"
ADDRESS_PENDING: Final = "AddressPending"
API_MISSING: Final = "ApiMissing"
APPLIED: Final = "Applied"
AS_SPECIFIED: Final = "AsSpecified"
CACHED: Final = "Cached"
CHECKS_PASSED: Final = "ChecksPassed"
CREATE_FAILED: Final = "CreateFailed"
FETCHED_BY_EACH_POD: Final = "FetchedByEachPod"
FETCHING: Final = "Fetching"
INVALID_SPEC: Final = "InvalidSpec"
IN_IMAGE: Final = "InImage"
METRICS_PENDING: Final = "MetricsPending"
NEWER_DEFAULT_IMAGE: Final = "NewerDefaultImage"
NOT_IMPLEMENTED: Final = "NotImplemented"
NOT_OWNED: Final = "NotOwned"
REJECTED: Final = "Rejected"
ROLLING_OUT: Final = "RollingOut"
SECRET_NOT_FOUND: Final = "SecretNotFound"
SUSPENDED: Final = "Suspended"
SUSPENDING: Final = "Suspending"
UNSCHEDULABLE: Final = "Unschedulable"
WAITING_FOR_MODEL: Final = "WaitingForModel"
WAITING_FOR_VOLUME: Final = "WaitingForVolume"
WAITING_FOR_SECRET: Final = "WaitingForSecret"

Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Judgement:
    """A condition before it has a history."""

    type: str
    status: Truth
    reason: str
    message: str = ""


def conditions(
    judgements: Iterable[Judgement], previous: Iterable[Condition], generation: int, now: str
) -> tuple[Condition, ...]:
    """The conditions to write: `lastTransitionTime` moves only where the status does."""
    before = {condition.type: condition for condition in previous}
    return tuple(
        Condition(
            type=judged.type,
            status=judged.status,
            reason=judged.reason,
            message=judged.message,
            observed_generation=generation,
            last_transition_time=_since(before.get(judged.type), judged, now),
        )
        for judged in judgements
    )


def _since(before: Condition | None, judged: Judgement, now: str) -> str:
    if before and before.status == judged.status and before.last_transition_time:
        return before.last_transition_time
    return now
