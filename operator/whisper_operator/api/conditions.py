"""The conditions of a WhisperService: their types, their reasons, and how one follows another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from whisper_operator.api.status import Condition

READY: Final = "Ready"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
PREFLIGHT_PASSED: Final = "PreflightPassed"
MODEL_CACHED: Final = "ModelCached"
AVAILABLE: Final = "Available"
EXPOSED: Final = "Exposed"
MONITORED: Final = "Monitored"
ACCELERATOR_IN_USE: Final = "AcceleratorInUse"
CACHE_AS_SPECIFIED: Final = "CacheAsSpecified"
AUTOSCALING_ACTIVE: Final = "AutoscalingActive"
VERIFIED: Final = "Verified"
RUNTIME_UPDATE_AVAILABLE: Final = "RuntimeUpdateAvailable"

ACCESS_MODE_TOO_NARROW: Final = "AccessModeTooNarrow"
ADDRESS_ASSIGNED: Final = "AddressAssigned"
ADDRESS_PENDING: Final = "AddressPending"
API_MISSING: Final = "ApiMissing"
APPLIED: Final = "Applied"
AS_SPECIFIED: Final = "AsSpecified"
CACHED: Final = "Cached"
CACHE_TOO_SMALL: Final = "CacheTooSmall"
CANNOT_GROW: Final = "CannotGrow"
CHECKS_PASSED: Final = "ChecksPassed"
CLAIM_NOT_FOUND: Final = "ClaimNotFound"
CRASHED: Final = "Crashed"
CRASH_LOOP_BACK_OFF: Final = "CrashLoopBackOff"
CREATE_FAILED: Final = "CreateFailed"
DEVICE_IS_CPU: Final = "DeviceIsCpu"
FETCHED_BY_EACH_POD: Final = "FetchedByEachPod"
FETCHING: Final = "Fetching"
FETCH_BLOCKED: Final = "FetchBlocked"
GPU_MEMORY_TOO_SMALL: Final = "GpuMemoryTooSmall"
GPU_NOT_FOUND: Final = "GpuNotFound"
HOST_TAKEN: Final = "HostTaken"
IMAGE_PULL_BACK_OFF: Final = "ImagePullBackOff"
INSUFFICIENT_CPU: Final = "InsufficientCpu"
INSUFFICIENT_GPU: Final = "InsufficientGpu"
INSUFFICIENT_MEMORY: Final = "InsufficientMemory"
INVALID_SPEC: Final = "InvalidSpec"
IN_IMAGE: Final = "InImage"
LIMIT_RANGE_VIOLATED: Final = "LimitRangeViolated"
METRICS_PENDING: Final = "MetricsPending"
MODEL_CHANGE_FAILED: Final = "ModelChangeFailed"
MODEL_CHANGING: Final = "ModelChanging"
NEWER_DEFAULT_IMAGE: Final = "NewerDefaultImage"
NOTHING_WAKES: Final = "NothingWakes"
NOT_IMPLEMENTED: Final = "NotImplemented"
NOT_READY_IN_TIME: Final = "NotReadyInTime"
NOT_OWNED: Final = "NotOwned"
NO_PODS: Final = "NoPods"
OOM_KILLED: Final = "OOMKilled"
PODS_ON_GPU: Final = "PodsOnGpu"
PULL_SECRET_INVALID: Final = "PullSecretInvalid"
QUOTA_EXCEEDED: Final = "QuotaExceeded"
REJECTED: Final = "Rejected"
ROLLING_OUT: Final = "RollingOut"
ROUTE_ACCEPTED: Final = "RouteAccepted"
ROUTE_PENDING: Final = "RoutePending"
SCALED_TO_ZERO: Final = "ScaledToZero"
SECRET_EMPTY: Final = "SecretEmpty"
SECRET_NOT_FOUND: Final = "SecretNotFound"
SOURCE_CA_INVALID: Final = "SourceCaInvalid"
SOURCE_CLAIM_NOT_FOUND: Final = "SourceClaimNotFound"
SOURCE_SECRET_INVALID: Final = "SourceSecretInvalid"
STORAGE_CLASS_IMMUTABLE: Final = "StorageClassImmutable"
STORAGE_CLASS_NOT_FOUND: Final = "StorageClassNotFound"
SUSPENDED: Final = "Suspended"
SUSPENDING: Final = "Suspending"
TLS_SECRET_INVALID: Final = "TlsSecretInvalid"
UNSCHEDULABLE: Final = "Unschedulable"
VERIFICATION_AUDIO_INVALID: Final = "VerificationAudioInvalid"
VERIFICATION_FAILED: Final = "VerificationFailed"
VERIFYING: Final = "Verifying"
WAITING_FOR_MODEL: Final = "WaitingForModel"
WAITING_FOR_PREFLIGHT: Final = "WaitingForPreflight"
WAITING_FOR_VOLUME: Final = "WaitingForVolume"

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
