"""Conditions about the volumes that pods keep files on; none of them blocks Ready. Pure."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.units import any_quantity
from whisper_operator.objects.kinds import CLAIM
from whisper_operator.observe import pod_status
from whisper_operator.resolve.claim import ClaimState, requested_size
from whisper_operator.resolve.resolved import Resolved


def cache_as_specified(resolved: Resolved) -> ConditionUpdate | None:
    """False where the live claim differs from the spec and cannot be changed to it; else None."""
    return _as_specified(resolved.claim, c.CACHE_AS_SPECIFIED)


def job_storage_as_specified(resolved: Resolved) -> ConditionUpdate | None:
    """The same of the claim of jobs, and where no volume can be made for it, for which no fetch waits."""
    claim = resolved.jobs_claim
    if claim is None or not claim.wanted.is_mounted:
        return None
    if lost := lost_volume(claim):
        return ConditionUpdate(c.JOB_STORAGE_AS_SPECIFIED, "False", c.VOLUME_LOST, lost)
    if claim.live and claim.phase == "Pending":
        warned = pod_status.warning_about(resolved.observed.facts.warnings, CLAIM.kind, claim.live)
        if warned is None:
            return None
        message = f"claim {claim.name} has no volume: {warned.message}"
        return ConditionUpdate(c.JOB_STORAGE_AS_SPECIFIED, "False", c.WAITING_FOR_VOLUME, message)
    return _as_specified(claim, c.JOB_STORAGE_AS_SPECIFIED)


def jobs_volatile(resolved: Resolved) -> ConditionUpdate | None:
    """True where jobs are lost with their pod; else None."""
    jobs = resolved.service.spec.jobs
    if jobs is None or jobs.storage.type != "EmptyDir":
        return None
    message = (
        "spec.jobs.storage.type is EmptyDir: recordings that wait and results that were not fetched are lost with the "
        "pod, as at each change of its template, each drain of its node and each eviction: write "
        "PersistentVolumeClaim to keep them"
    )
    return ConditionUpdate(c.JOBS_VOLATILE, "True", c.JOBS_IN_POD, message)


def lost_volume(claim: ClaimState) -> str:
    """What to do about a claim whose volume has gone, which Kubernetes never gives another; empty where none has."""
    if claim.phase != "Lost":
        return ""
    anew = "delete the claim, and another is made" if claim.is_own else "make the claim anew, or name another one"
    return f"claim {claim.name} has lost its volume, which does not exist any more: restore it, or {anew}"


def _as_specified(claim: ClaimState, kind: str) -> ConditionUpdate | None:
    """That condition as False where the live claim cannot be changed to what the spec says; else None."""
    wanted, live = claim.wanted, claim.live
    if live is None or wanted.existing:
        return None
    spec, name = live["spec"], claim.name
    remedy = f"name a claim of your own in {wanted.part}.existingClaim, or set the field back"
    if wanted.storage_class and spec.get("storageClassName") != wanted.storage_class:
        message = f"claim {name} has class {spec.get('storageClassName')}, which cannot be changed: {remedy}"
        return ConditionUpdate(kind, "False", c.STORAGE_CLASS_IMMUTABLE, message)
    if wanted.mode_of_spec and wanted.mode_of_spec not in spec["accessModes"]:
        message = f"claim {name} is {', '.join(spec['accessModes'])}, which cannot be changed: {remedy}"
        return ConditionUpdate(kind, "False", c.ACCESS_MODE_TOO_NARROW, message)
    size = requested_size(live)
    if any_quantity(wanted.size) > any_quantity(size) and not claim.can_grow:
        message = (
            f"claim {name} has {size}, and class {spec.get('storageClassName')} does not let claims grow: {remedy}"
        )
        return ConditionUpdate(kind, "False", c.CANNOT_GROW, message)
    return None
