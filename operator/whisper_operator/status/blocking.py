"""The conditions on the way to Ready: one pure function for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.objects.denials import metadata_remedy
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.objects.manifest import condition
from whisper_operator.observe import pod_status
from whisper_operator.resolve.promise import fewest_pods
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.status.front import front_ready, no_way_in
from whisper_operator.status.volumes import lost_volume
from whisper_runtime.contract.reports import VerifyReport

ConditionRule = Callable[[Resolved], ConditionUpdate | None]
"""Decides one condition; None where the spec asks for nothing that it is about."""


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
    if cache == "ImageVolume":
        return ConditionUpdate(c.MODEL_CACHED, "True", c.IN_IMAGE, f"{model.name} is in an image that the pods mount")
    if cache == "EmptyDir":
        return ConditionUpdate(
            c.MODEL_CACHED, "True", c.FETCHED_BY_EACH_POD, f"each pod fetches {model.name} when it starts"
        )
    claim = resolved.claim
    if lost := lost_volume(claim):
        return ConditionUpdate(c.MODEL_CACHED, "False", c.VOLUME_LOST, lost)
    if resolved.model.is_fetched:
        return ConditionUpdate(
            c.MODEL_CACHED, "True", c.CACHED, f"{model.name} ({model.digest}) is in claim {claim.name}"
        )
    if cause := resolved.model.fetch_failure:
        return ConditionUpdate(c.MODEL_CACHED, "False", cause.reason, cause.message)
    if claim.live is None:
        return ConditionUpdate(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, _no_claim(resolved))
    if claim.phase == "Pending":
        message = f"{model.name} is fetched as soon as claim {claim.name} has a volume"
        if warned := pod_status.warning_about(resolved.observed.facts.warnings, CLAIM.kind, claim.live):
            message += f": {warned.message}"
        return ConditionUpdate(c.MODEL_CACHED, "False", c.WAITING_FOR_VOLUME, message)
    return ConditionUpdate(c.MODEL_CACHED, "False", c.FETCHING, f"{model.name} is being fetched")


def _no_claim(resolved: Resolved) -> str:
    name = resolved.claim.name
    if (CLAIM.kind, name) in resolved.observed.predecessors:
        return f"pods of a deleted WhisperService of this name still use its claim {name}: a new one is made afterwards"
    return f"claim {name} does not exist yet"


def available(resolved: Resolved) -> ConditionUpdate:
    """True while as many pods as are promised take requests with a model that is proven."""
    counts = resolved.replicas
    if resolved.deployment is None or _is_held_at_zero(resolved):
        reason = c.WAITING_FOR_PREFLIGHT if resolved.preflight.holds else c.WAITING_FOR_MODEL
        return ConditionUpdate(c.AVAILABLE, "False", reason, "no pod has been started yet")
    nobody = no_way_in(resolved)
    if counts.wanted == 0 and resolved.promise.required == 0:
        if nobody:
            return ConditionUpdate(c.AVAILABLE, "False", c.NO_WAY_IN, nobody)
        return ConditionUpdate(c.AVAILABLE, "True", c.SCALED_TO_ZERO, _progress(resolved))
    waits_in_vain = counts.available == 0 and pod_status.cause_of(
        resolved.server_pods, resolved.observed.facts.warnings
    )
    is_proven = resolved.model.last_good is not None or resolved.promise.was_carried_out
    if resolved.promise.is_kept and is_proven and not waits_in_vain and not nobody:
        reason = c.AS_SPECIFIED if counts.is_complete else c.ROLLING_OUT
        return ConditionUpdate(c.AVAILABLE, "True", reason, _progress(resolved))
    return _lacking(resolved, c.AVAILABLE)


def rolled_out(resolved: Resolved) -> ConditionUpdate | None:
    """True while every pod that is wanted is available and of the newest template; None before the first are started.

    An annotation on the Deployment makes its counts look old; after a spec that was carried out they are believed.
    """
    counts = resolved.replicas
    if resolved.deployment is None:
        return None
    is_believed = counts.is_current or resolved.promise.was_carried_out
    if counts.is_complete and counts.wanted == _wanted(resolved) and is_believed:
        reason = c.AS_SPECIFIED if counts.wanted else c.SCALED_TO_ZERO
        return ConditionUpdate(c.ROLLED_OUT, "True", reason, _progress(resolved))
    return _lacking(resolved, c.ROLLED_OUT)


def _is_held_at_zero(resolved: Resolved) -> bool:
    """Whether preflight keeps pods from being started again, after a suspension."""
    return resolved.replicas.wanted == 0 and resolved.preflight.holds and fewest_pods(resolved.service.spec) > 0


def _progress(resolved: Resolved) -> str:
    counts = resolved.replicas
    return f"{counts.available} of {_wanted(resolved)} replicas available, {counts.updated} up to date"


def _wanted(resolved: Resolved) -> int:
    """Pods that are wanted: the Deployment's number, which an autoscaler has still to raise to the spec's smallest.

    At zero it leaves a Deployment alone.
    """
    wanted, spec = resolved.replicas.wanted, resolved.service.spec
    return wanted if spec.autoscaling and wanted == 0 else max(wanted, fewest_pods(spec))


def _lacking(resolved: Resolved, kind: str) -> ConditionUpdate:
    """That condition as False, with the cause that keeps a pod from running, if any does."""
    progress = _progress(resolved)
    if failure := condition(resolved.deployment, "ReplicaFailure"):
        message = failure.get("message", "")
        remedy = metadata_remedy(message, "spec.podMetadata")
        return ConditionUpdate(kind, "False", c.CREATE_FAILED, message + remedy)
    cause = pod_status.cause_of(resolved.server_pods, resolved.observed.facts.warnings)
    if cause is None:
        return ConditionUpdate(kind, "False", c.ROLLING_OUT, progress)
    if cause.reason == c.UNSCHEDULABLE and (leaving := pod_status.leaving(resolved.server_pods)):
        waits = f"pod {leaving['metadata']['name']} leaves its node once it has finished its requests"
        return ConditionUpdate(kind, "False", c.ROLLING_OUT, f"{progress}; {waits}")
    return ConditionUpdate(kind, "False", cause.reason, f"{progress}; {cause.message}")


def verified(resolved: Resolved) -> ConditionUpdate | None:
    """None where verification is off. A failure stays until an attempt succeeds: the next one is no news."""
    state, report = resolved.verification, resolved.verification.report
    if not state.is_on:
        return None
    if state.is_passed:
        count = f"{len(report.checks)} checks passed, " if report else ""
        spent = f"{report.requests} requests sent" if report else "all checks passed"
        return ConditionUpdate(c.VERIFIED, "True", c.CHECKS_PASSED, f"{count}{spent}")
    cause = pod_status.cause_of(state.pods, resolved.observed.facts.warnings)
    if state.is_failed:
        reason, why = _failure(report, cause)
        message = f"{why}. It is verified again by itself; to do so at once, delete Job {state.job_name}"
        return ConditionUpdate(c.VERIFIED, "False", reason, message)
    if state.attempt > 1:
        failed = (one for one in resolved.service.status.conditions if one.type == c.VERIFIED and one.status == "False")
        before = [(one.reason, one.message) for one in failed if one.message]
        return ConditionUpdate(c.VERIFIED, "False", *(before or [(c.VERIFICATION_FAILED, "it is verified again")])[0])
    if state.job is None:
        return ConditionUpdate(c.VERIFIED, "Unknown", c.VERIFYING, "real requests are sent once pods are available")
    cause = cause or pod_status.not_created(state.job, resolved.observed.facts.warnings)
    message = cause.message if cause else "real requests are being sent"
    return ConditionUpdate(c.VERIFIED, "Unknown", c.VERIFYING, message)


def _failure(report: VerifyReport | None, cause: pod_status.Cause | None) -> tuple[str, str]:
    """Reason and text of a verification that did not pass, from its report, or why its pod has left none."""
    if report is None:
        return c.VERIFICATION_FAILED, cause.message if cause else "its pod left no report"
    failed = "; ".join(f"{one.name}: {one.message}" for one in report.checks if not one.passed)
    if report.busy and not failed:
        return c.VERIFICATION_BUSY, report.busy
    return c.VERIFICATION_FAILED, failed


SERVING: Final[tuple[ConditionRule, ...]] = (
    preflight_passed,
    model_cached,
    available,
    rolled_out,
    verified,
    front_ready,
)
"""The conditions on the way to a service that serves, in the order in which they become true."""
