"""One pure function for each condition, from what was observed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT
from whisper_operator.observe import pod_status
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import fetch, model_change
from whisper_operator.resolve.model import claim_name, is_fetched, live_claim, wanted_model
from whisper_operator.resolve.preflight import checklist
from whisper_operator.resolve.verification import verified
from whisper_runtime.contract.reports import (
    CACHE_NOT_WRITABLE,
    CHECKSUM_MISMATCH,
    NO_SPACE,
    NOT_A_CHECKPOINT,
    UNKNOWN_MODEL,
)

Judge = Callable[[WhisperService, Observed, Env], Judgement | None]

WAITS_FOR_THE_USER: Final = frozenset(
    {
        c.ACCESS_MODE_TOO_NARROW,
        c.CACHE_TOO_SMALL,
        c.CLAIM_NOT_FOUND,
        c.FETCH_BLOCKED,
        c.GPU_MEMORY_TOO_SMALL,
        c.HOST_TAKEN,
        c.LIMIT_RANGE_VIOLATED,
        c.PULL_SECRET_INVALID,
        c.SECRET_EMPTY,
        c.SECRET_NOT_FOUND,
        c.SOURCE_CA_INVALID,
        c.SOURCE_CLAIM_NOT_FOUND,
        c.SOURCE_SECRET_INVALID,
        c.STORAGE_CLASS_NOT_FOUND,
        c.TLS_SECRET_INVALID,
        c.VERIFICATION_AUDIO_INVALID,
        c.VERIFICATION_FAILED,
        CACHE_NOT_WRITABLE,
        CHECKSUM_MISMATCH,
        NOT_A_CHECKPOINT,
        NO_SPACE,
        UNKNOWN_MODEL,
    }
)
"""Reasons that no retry mends; a lack of capacity may pass by itself."""


MODEL_DOES_NOT_FIT: Final = frozenset(
    {
        c.CACHE_TOO_SMALL,
        c.FETCH_BLOCKED,
        c.GPU_MEMORY_TOO_SMALL,
        c.INSUFFICIENT_CPU,
        c.INSUFFICIENT_GPU,
        c.INSUFFICIENT_MEMORY,
        c.SOURCE_CA_INVALID,
        c.SOURCE_CLAIM_NOT_FOUND,
        c.SOURCE_SECRET_INVALID,
    }
)
"""Reasons of preflight that concern the wanted model alone: the one that serves goes on."""


def preflight_passed(service: WhisperService, observed: Observed, env: Env) -> Judgement:
    return checklist.judgement(service, observed)


def model_cached(service: WhisperService, observed: Observed, env: Env) -> Judgement:
    model = wanted_model(service, observed)
    if service.spec.cache.type == "Image":
        return Judgement(c.MODEL_CACHED, "True", c.IN_IMAGE, f"{model.name} is in the pods' image")
    if service.spec.cache.type == "EmptyDir":
        return Judgement(c.MODEL_CACHED, "True", c.FETCHED_BY_EACH_POD, f"each pod fetches {model.name} when it starts")
    if is_fetched(service, observed):
        message = f"{model.name} ({model.digest}) is in claim {claim_name(service)}"
        return Judgement(c.MODEL_CACHED, "True", c.CACHED, message)
    if trouble := fetch.trouble(service, observed):
        return Judgement(c.MODEL_CACHED, "False", *trouble)
    claim = live_claim(service, observed)
    if claim is None:
        return Judgement(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, f"there is no claim {claim_name(service)} yet")
    if claim.get("status", {}).get("phase") == "Pending":
        message = f"{model.name} is fetched as soon as claim {claim_name(service)} has a volume"
        if warned := pod_status.warning(observed, CLAIM.kind, claim["metadata"]["name"], claim["metadata"]["uid"]):
            message += f": {warned.message}"
        return Judgement(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, message)
    return Judgement(c.MODEL_CACHED, "False", c.FETCHING, f"{model.name} is being fetched")


def available(service: WhisperService, observed: Observed, env: Env) -> Judgement:
    deployment = observed.get(DEPLOYMENT, service.metadata.name)
    if deployment is None:
        reason = c.WAITING_FOR_PREFLIGHT if checklist.holds(service, observed) else c.WAITING_FOR_MODEL
        return Judgement(c.AVAILABLE, "False", reason, "no pod has been started yet")
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = {count: status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")}
    progress = f"{counts['availableReplicas']} of {wanted} replicas available, {counts['updatedReplicas']} up to date"
    if seen and all(count == wanted for count in counts.values()):
        return Judgement(c.AVAILABLE, "True", c.AS_SPECIFIED if wanted else c.SCALED_TO_ZERO, progress)
    if is_changing_in_service(service, observed):
        return Judgement(c.AVAILABLE, "True", c.ROLLING_OUT, progress)
    if failure := pod_status.condition(deployment, "ReplicaFailure"):
        return Judgement(c.AVAILABLE, "False", c.CREATE_FAILED, failure.get("message", ""))
    if trouble := pod_status.trouble(observed, names.SERVER):
        if trouble[0] == c.UNSCHEDULABLE and (leaving := pod_status.leaving(observed, names.SERVER)):
            waits = f"the place of pod {leaving['metadata']['name']} is free once it has finished its requests"
            return Judgement(c.AVAILABLE, "False", c.ROLLING_OUT, f"{progress}; {waits}")
        return Judgement(c.AVAILABLE, "False", trouble[0], f"{progress}; {trouble[1]}")
    return Judgement(c.AVAILABLE, "False", c.ROLLING_OUT, progress)


def is_changing_in_service(service: WhisperService, observed: Observed) -> bool:
    """Whether the model is being changed, or was to be, while as many pods as are wanted take requests."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    if live is None or model_change.in_progress(service, observed) is None:
        return False
    wanted = live["spec"].get("replicas", 1)
    return 0 < wanted <= live.get("status", {}).get("availableReplicas", 0)


BLOCKING: Final[tuple[Judge, ...]] = (preflight_passed, model_cached, available, verified)
"""What Ready rests on, in the order in which things go wrong."""
