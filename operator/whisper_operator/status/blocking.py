"""The conditions that Ready rests on: one pure function for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.objects.manifest import condition
from whisper_operator.observe import pod_status
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.reports import (
    CACHE_NOT_WRITABLE,
    CHECKSUM_MISMATCH,
    NO_SPACE,
    NOT_A_CHECKPOINT,
    UNKNOWN_MODEL,
)

ConditionRule = Callable[[Resolved], ConditionUpdate | None]
"""Decides one condition; None where the spec asks for nothing that it is about."""

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
"""Reasons of preflight that concern the wanted model alone: the model that serves goes on."""


def preflight_passed(resolved: Resolved) -> ConditionUpdate:
    found = resolved.preflight.findings
    if found:
        return ConditionUpdate(c.PREFLIGHT_PASSED, "False", found[0].reason, "; ".join(one.message for one in found))
    unknown = "nodes and storage classes are not checked, because only namespaces may be read"
    message = unknown if resolved.observed.facts.nodes is None else ""
    return ConditionUpdate(c.PREFLIGHT_PASSED, "True", c.CHECKS_PASSED, message)


def model_cached(resolved: Resolved) -> ConditionUpdate:
    model, cache = resolved.model.wanted, resolved.service.spec.cache.type
    if cache == "Image":
        return ConditionUpdate(c.MODEL_CACHED, "True", c.IN_IMAGE, f"{model.name} is in the pods' image")
    if cache == "EmptyDir":
        return ConditionUpdate(
            c.MODEL_CACHED, "True", c.FETCHED_BY_EACH_POD, f"each pod fetches {model.name} when it starts"
        )
    claim = resolved.claim
    if resolved.model.is_fetched:
        return ConditionUpdate(
            c.MODEL_CACHED, "True", c.CACHED, f"{model.name} ({model.digest}) is in claim {claim.name}"
        )
    if cause := resolved.model.fetch_failure:
        return ConditionUpdate(c.MODEL_CACHED, "False", cause.reason, cause.message)
    if claim.live is None:
        return ConditionUpdate(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, f"claim {claim.name} does not exist yet")
    if claim.phase == "Pending":
        message = f"{model.name} is fetched as soon as claim {claim.name} has a volume"
        if warned := pod_status.warning_about(resolved.observed.facts.warnings, CLAIM.kind, claim.live):
            message += f": {warned.message}"
        return ConditionUpdate(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, message)
    return ConditionUpdate(c.MODEL_CACHED, "False", c.FETCHING, f"{model.name} is being fetched")


def available(resolved: Resolved) -> ConditionUpdate:
    if resolved.deployment is None:
        reason = c.WAITING_FOR_PREFLIGHT if resolved.preflight.holds else c.WAITING_FOR_MODEL
        return ConditionUpdate(c.AVAILABLE, "False", reason, "no pod has been started yet")
    counts = resolved.replicas
    progress = f"{counts.available} of {counts.wanted} replicas available, {counts.updated} up to date"
    if counts.is_settled:
        return ConditionUpdate(c.AVAILABLE, "True", c.AS_SPECIFIED if counts.wanted else c.SCALED_TO_ZERO, progress)
    if resolved.serves_during_change:
        return ConditionUpdate(c.AVAILABLE, "True", c.ROLLING_OUT, progress)
    if failure := condition(resolved.deployment, "ReplicaFailure"):
        return ConditionUpdate(c.AVAILABLE, "False", c.CREATE_FAILED, failure.get("message", ""))
    return _rolling_out(resolved, progress)


def _rolling_out(resolved: Resolved, progress: str) -> ConditionUpdate:
    """Available while pods are missing, with the cause that keeps one of them from running, if any does."""
    cause = pod_status.cause_of(resolved.server_pods, resolved.observed.facts.warnings)
    if cause is None:
        return ConditionUpdate(c.AVAILABLE, "False", c.ROLLING_OUT, progress)
    if cause.reason == c.UNSCHEDULABLE and (leaving := pod_status.leaving(resolved.server_pods)):
        waits = f"pod {leaving['metadata']['name']} leaves its node once it has finished its requests"
        return ConditionUpdate(c.AVAILABLE, "False", c.ROLLING_OUT, f"{progress}; {waits}")
    return ConditionUpdate(c.AVAILABLE, "False", cause.reason, f"{progress}; {cause.message}")


def verified(resolved: Resolved) -> ConditionUpdate | None:
    """None where verification is off."""
    state, report = resolved.verification, resolved.verification.report
    if not state.is_on:
        return None
    if state.job is None:
        return ConditionUpdate(c.VERIFIED, "Unknown", c.VERIFYING, "real requests are sent once all pods are available")
    if state.is_passed:
        count = f"{len(report.checks)} checks passed, " if report else ""
        spent = f"{report.requests} requests sent" if report else "all checks passed"
        return ConditionUpdate(c.VERIFIED, "True", c.CHECKS_PASSED, f"{count}{spent}")
    cause = pod_status.cause_of(state.pods, resolved.observed.facts.warnings)
    if state.is_failed:
        failed = [f"{one.name}: {one.message}" for one in report.checks if not one.passed] if report else []
        why = "; ".join(failed) or (cause.message if cause else "its pod left no report")
        message = f"{why}. Delete Job {state.job_name} to verify again"
        return ConditionUpdate(c.VERIFIED, "False", c.VERIFICATION_FAILED, message)
    cause = cause or pod_status.not_created(state.job, resolved.observed.facts.warnings)
    message = cause.message if cause else "real requests are being sent"
    return ConditionUpdate(c.VERIFIED, "Unknown", c.VERIFYING, message)


BLOCKING: Final[tuple[ConditionRule, ...]] = (preflight_passed, model_cached, available, verified)
"""The conditions of Ready, in the order in which they become true."""
