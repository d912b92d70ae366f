"""The status that the operator writes: what was observed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from whisper_operator.api.base import Part, at_most


class Report(Part):
    """A part of the status; tolerant when read, for a newer operator may have written it."""

    model_config = ConfigDict(**(Part.model_config | {"extra": "ignore"}))


class Condition(Report):
    type: str
    """What is judged, such as Ready."""
    status: Literal["True", "False", "Unknown"]
    """The judgement."""
    reason: str
    """Its cause in one CamelCase word."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """Its cause in a sentence."""
    observed_generation: int | None = None
    """Generation of the spec that was judged."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """When `status` last changed."""


class ModelProgress(Report):
    bytes: int
    """Bytes that are there."""
    total: int | None = None
    """Bytes in all."""
    bytes_per_second: int | None = None
    """Speed of the download."""
    seconds_left: int | None = None
    """Until all is there at that speed."""


class ModelStatus(Report):
    name: str | None = None
    """The model that the pods serve."""
    digest: str | None = None
    """Digest of its checkpoint, sha256:<64 hex>."""
    bytes: int | None = None
    """Size of its checkpoint."""
    wanted: str | None = None
    """The model that spec asks for, while it is not served yet."""
    wanted_digest: str | None = None
    """Digest of its checkpoint, as far as it is known."""
    progress: ModelProgress | None = None
    """How far its download is."""


class RolloutStatus(Report):
    strategy: str | None = None
    """How pods are replaced: Surge or Replace."""
    reason: str | None = None
    """Why so."""


class PerformanceStatus(Report):
    load_seconds: float | None = None
    """Seconds that a pod took to load the model."""
    realtime_factor: float | None = None
    """Seconds of audio transcribed in one second."""
    p95_seconds: float | None = None
    """Seconds within which 95 of 100 requests for the golden clip were answered."""
    device: str | None = None
    """Device that the model runs on: cpu, or the GPU."""
    compute_type: str | None = None
    """Precision that the model runs in."""
    memory_bytes: int | None = None
    """Memory of the GPU that the model holds."""


class VerificationCheck(Report):
    name: str
    """What was checked."""
    passed: bool
    """Whether it was right."""
    message: str = ""
    """What was seen."""


class VerificationStatus(Report):
    generation: int | None = None
    """Generation of the spec that was verified."""
    passed: bool | None = None
    """Whether every check passed."""
    checks: Annotated[tuple[VerificationCheck, ...], *at_most(64)] = ()
    """The checks, one by one."""


class PreflightCheck(Report):
    name: str
    """What was checked before pods are started."""
    passed: bool | None = None
    """Whether it was right; absent: it could not be checked."""
    message: str = ""
    """What is wrong, and what to do."""


class Status(Report):
    observed_generation: int | None = None
    """Generation of the spec that this status speaks of."""
    conditions: Annotated[
        tuple[Condition, ...],
        *at_most(32, key="type"),
    ] = ()
    """What is judged: Ready says whether the service does what spec asks for, the others say why."""
    replicas: int | None = None
    """Pods that exist."""
    ready_replicas: int | None = None
    """Pods that take requests."""
    selector: str | None = None
    """Label selector of the pods, for /scale."""
    url: str | None = None
    """Where clients reach the service."""
    model: ModelStatus | None = None
    """The model that is served."""
    rollout: RolloutStatus | None = None
    """How pods are replaced."""
    preflight: Annotated[tuple[PreflightCheck, ...], *at_most(32)] = ()
    """The checks before pods are started, one by one."""
    performance: PerformanceStatus | None = None
    """What the pods measured."""
    verification: VerificationStatus | None = None
    """What real requests showed."""
