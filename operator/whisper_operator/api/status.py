"""The status that the operator writes: the state that it observed."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from whisper_operator.api.base import ApiModel, at_most
from whisper_runtime.contract.reports import MAX_CHECKS

ConditionStatus = Literal["True", "False", "Unknown"]
MOST_WAKES: Final = 5
LONGEST_MESSAGE: Final = 32768
"""As all bounds of a condition, that of metav1.Condition: apimachinery's pkg/apis/meta/v1/types.go."""
_LONGEST_REASON: Final = 1024
_REASON_PATTERN: Final = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
_TYPE_PATTERN: Final = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)


class StatusModel(ApiModel):
    """Base of the status's objects; ignores unknown fields, because a newer operator may have written them."""

    model_config = ConfigDict(**(ApiModel.model_config | {"extra": "ignore"}))


class Condition(StatusModel):
    """A metav1.Condition, whose required fields the API server demands; one that lacks some is read all the same."""

    model_config = ConfigDict(
        **(
            StatusModel.model_config
            | {"json_schema_extra": {"required": ["type", "status", "lastTransitionTime", "reason", "message"]}}
        )
    )

    type: Annotated[str, Field(max_length=316, pattern=_TYPE_PATTERN)]
    """Type of the condition, such as Ready."""
    status: ConditionStatus
    """Status of the condition."""
    reason: Annotated[str, Field(min_length=1, max_length=_LONGEST_REASON, pattern=_REASON_PATTERN)]
    """Cause of the status, in one CamelCase word."""
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE)] = ""
    """Cause of the status, in a sentence."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that the condition refers to."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """Time of the last change of `status`."""


def is_reason(text: str) -> bool:
    """Whether a condition may have that reason."""
    return len(text) <= _LONGEST_REASON and re.fullmatch(_REASON_PATTERN, text) is not None


class ModelProgress(StatusModel):
    bytes: int
    """Bytes downloaded so far."""
    total: int | None = None
    """Bytes of the whole checkpoint."""
    bytes_per_second: int | None = None
    """Speed of the download, in bytes per second."""
    seconds_left: int | None = None
    """Remaining seconds at that speed."""


class ModelStatus(StatusModel):
    name: str | None = None
    """Name of the model that the pods serve."""
    digest: str | None = None
    """Digest of its checkpoint, sha256:<64 hex>."""
    bytes: int | None = None
    """Size of its checkpoint, in bytes."""
    wanted: str | None = None
    """Name of the model that spec asks for; present until the pods serve it."""
    wanted_digest: str | None = None
    """Digest of the wanted model's checkpoint, if it is known."""
    progress: ModelProgress | None = None
    """Progress of the wanted model's download."""


class DiarizationStatus(StatusModel):
    name: str | None = None
    """Name of the speaker encoder by which the pods tell speakers apart. Absent: they do not yet."""
    digest: str | None = None
    """Digest of its checkpoint, sha256:<64 hex>."""
    wanted: str | None = None
    """Name of the speaker encoder that spec asks for; present until the pods have it."""
    wanted_digest: str | None = None
    """Digest of its checkpoint, if it is known."""


class RolloutStatus(StatusModel):
    strategy: str | None = None
    """Strategy in use: Surge or Replace."""
    reason: str | None = None
    """Reason for the choice."""


class PerformanceStatus(StatusModel):
    load_seconds: float | None = None
    """Seconds that a pod took to load the model."""
    realtime_factor: float | None = None
    """Seconds of audio transcribed in one second."""
    p95_seconds: float | None = None
    """95th percentile of the response time for the golden clip, in seconds."""
    device: str | None = None
    """Device that the model runs on: cpu, or the GPU."""
    compute_type: str | None = None
    """Precision of the model."""
    memory_bytes: int | None = None
    """GPU memory that the model occupies, in bytes."""
    processor: str | None = None
    """Processor that was measured, with its flags; present with bfloat16 on a CPU."""
    bfloat16_speed: float | None = None
    """Speed of its products in bfloat16, by that in float32; present with bfloat16 on a CPU."""


class VerificationCheck(StatusModel):
    name: str
    """Name of the check."""
    passed: bool
    """Whether the check passed."""
    message: str = ""
    """Observation that the check made."""


class VerificationStatus(StatusModel):
    generation: int | None = None
    """Generation of the spec that was verified."""
    passed: bool | None = None
    """Whether every check passed."""
    passed_generation: int | None = None
    """Generation of the spec whose verification passed last."""
    checks: Annotated[tuple[VerificationCheck, ...], *at_most(MAX_CHECKS, key="name")] = ()
    """The single checks."""

    @property
    def was_passed(self) -> bool:
        """Whether any verification has ever passed, by an earlier release's status, too."""
        return self.passed_generation is not None or self.passed is True


class PreflightCheck(StatusModel):
    name: str
    """Name of the check, which is made before pods are started."""
    passed: bool | None = None
    """Whether the check passed; false in status, which lists none that did. Absent: it could not be made."""
    message: str = ""
    """Problem and remedy."""


class JobsStatus(StatusModel):
    queued_audio: str | None = None
    """Audio that waits to be transcribed in the background, rounded down to a step such as 15m, 2h or 48h."""
    oldest_queued: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """Time at which the oldest of it was accepted, to ten minutes. Absent: it has hardly waited, or nothing waits."""


class WakePartsStatus(StatusModel):
    schedule_seconds: int
    """Seconds from the start until a node was found for the pod."""
    start_seconds: int
    """Seconds from then until its container ran: volumes, image."""
    load_seconds: int
    """Seconds from then until it was ready: the model."""


class ScaleToZeroStatus(StatusModel):
    last_sleep: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """Time at which the operator, or KEDA, last ended all pods that serve."""
    last_wake: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """Time at which one of them last started the first one."""
    reason: str | None = None
    """The operator's reason for that, as of the condition Awake."""
    seconds: int | None = None
    """Seconds from then until a pod was ready. Absent: none is yet."""
    audio_speed: float | None = None
    """Seconds of audio that a pod transcribed in a second, as it measured before it last slept."""
    wakes: Annotated[tuple[WakePartsStatus, ...], *at_most(MOST_WAKES)] = ()
    """What the last wakes took, the last one first: by them clients are told how long they wait."""

    @property
    def slept_last(self) -> bool:
        """Whether the service has not been woken since it was put to sleep; it takes a second at least."""
        return self.last_sleep is not None and (self.last_wake is None or self.last_wake < self.last_sleep)


class AcceptedSpec(StatusModel):
    generation: int
    """Generation of the spec."""
    spec: str
    """The spec, as JSON."""
    defaults: str | None = None
    """The installation's defaults that complete it, as JSON; absent: none do."""


class Status(StatusModel):
    observed_generation: int | None = None
    """Generation of the spec that this status refers to."""
    accepted: AcceptedSpec | None = None
    """The last spec that the operator accepted: its objects are kept so while a later one is refused."""
    conditions: Annotated[
        tuple[Condition, ...],
        *at_most(32, key="type"),
    ] = ()
    """Conditions: Ready tells whether the service is as spec asks for, the others tell why."""
    replicas: int | None = None
    """Pods that exist."""
    desired_replicas: int | None = None
    """Pods that are wanted now: by spec, or by the autoscaler."""
    ready_replicas: int | None = None
    """Pods that accept requests."""
    available_replicas: int | None = None
    """Pods that Ready counts."""
    required_replicas: int | None = None
    """Available pods that Ready demands: what spec promises, less what may be missing for a while."""
    selector: str | None = None
    """Label selector of the pods, for the scale subresource."""
    url: str | None = None
    """URL of the service for clients."""
    model: ModelStatus | None = None
    """The model that is served."""
    diarization: DiarizationStatus | None = None
    """What tells speakers apart. Absent: nothing does, and nothing is to."""
    image: str | None = None
    """Image that the operator admitted: pods and Jobs run it for as long as `spec.image` names no other."""
    rollout: RolloutStatus | None = None
    """Replacement of pods."""
    preflight: Annotated[tuple[PreflightCheck, ...], *at_most(32, key="name")] = ()
    """The checks before pods are started that found a problem, or could not be made; none is listed that passed."""
    jobs: JobsStatus | None = None
    """Recordings that wait, as the pod that keeps them reported within some minutes."""
    scale_to_zero: ScaleToZeroStatus | None = None
    """Last times at which the operator scaled the service to zero pods, and from zero."""
    performance: PerformanceStatus | None = None
    """Performance that the last verification measured."""
    verification: VerificationStatus | None = None
    """Result of the last verification."""
