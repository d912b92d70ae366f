"""What the verification of the live rollout has shown: pure."""

from __future__ import annotations

import hashlib
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import Judgement
from whisper_operator.api.status import PerformanceStatus, VerificationCheck, VerificationStatus
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, JOB
from whisper_operator.observe import pod_status
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_runtime.contract.reports import VerifyReport

REVISION: Final = "deployment.kubernetes.io/revision"
"""Counts a Deployment's templates; written by Kubernetes."""


def is_on(service: WhisperService) -> bool:
    """Whether real requests prove each rollout: where `verification` is there and not disabled."""
    return service.spec.verification is not None and service.spec.verification.enabled


def wanted_job_name(service: WhisperService, observed: Observed) -> str | None:
    """Name of the Job that verifies the live Deployment's revision; None where it is off, or there is none yet."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    revision = live["metadata"].get("annotations", {}).get(REVISION) if live else None
    if live is None or revision is None or not is_on(service):
        return None
    proves = f"{live['metadata']['uid']} {revision}"
    return names.verify_job(service.metadata.name, hashlib.sha256(proves.encode()).hexdigest())


def verified(service: WhisperService, observed: Observed, env: Env) -> Judgement | None:
    """The condition Verified; None where it is off."""
    if not is_on(service):
        return None
    job = _live_job(service, observed)
    if job is None:
        return Judgement(c.VERIFIED, "Unknown", c.VERIFYING, "real requests are sent once all pods are available")
    report = report_of(service, observed)
    if pod_status.holds(job, "Complete"):
        count = f"{len(report.checks)} checks passed, " if report else ""
        spent = f"{report.requests} requests spent" if report else "every check passed"
        return Judgement(c.VERIFIED, "True", c.CHECKS_PASSED, f"{count}{spent}")
    if pod_status.holds(job, "Failed"):
        return Judgement(c.VERIFIED, "False", c.VERIFICATION_FAILED, _why(job["metadata"]["name"], report, observed))
    trouble = pod_status.trouble(observed, names.VERIFY) or pod_status.not_created(observed, job)
    return Judgement(c.VERIFIED, "Unknown", c.VERIFYING, trouble[1] if trouble else "real requests are being sent")


def _live_job(service: WhisperService, observed: Observed) -> Manifest | None:
    """The Job that verifies the live Deployment's revision, once it is there."""
    name = wanted_job_name(service, observed)
    return observed.get(JOB, name) if name else None


def report_of(service: WhisperService, observed: Observed) -> VerifyReport | None:
    """What the newest pod that verifies the live rollout reported; None until its Job has ended: it may try again."""
    job = _live_job(service, observed)
    if job is None or not (pod_status.holds(job, "Complete") or pod_status.holds(job, "Failed")):
        return None
    there = pod_status.of_job(observed, names.VERIFY, job["metadata"]["name"])
    found = (pod_status.verify_report(pod) for pod in there)
    return next((report for report in found if report), None)


def verification_status(service: WhisperService, observed: Observed) -> VerificationStatus | None:
    """The last report, or as it was seen before its pod went."""
    if not is_on(service):
        return None
    report, before = report_of(service, observed), service.status.verification
    if report is None:
        return before
    checks = tuple(VerificationCheck(name=one.name, passed=one.passed, message=one.message) for one in report.checks)
    is_same = before is not None and before.checks == checks and not _was_verifying(service)
    generation = before.generation if before is not None and is_same else service.metadata.generation
    return VerificationStatus(generation=generation, passed=report.passed, checks=checks)


def performance_status(service: WhisperService, observed: Observed) -> PerformanceStatus | None:
    """What the verification measured, and what a pod told: else the device that ready pods were told to use or fail."""
    if not is_on(service):
        return None
    report = report_of(service, observed)
    if report is None or report.performance is None:
        return service.status.performance
    spec, told = service.spec, report.performance
    device = ("cuda" if spec.gpu else "cpu") if spec.device == "auto" else spec.device
    precision = "float16" if device == "cuda" else "float32"
    return PerformanceStatus(
        load_seconds=told.load_seconds,
        realtime_factor=told.realtime_factor,
        p95_seconds=told.p95_seconds,
        device=told.device or device,
        compute_type=told.compute_type or (precision if spec.compute_type == "auto" else spec.compute_type),
        memory_bytes=told.memory_bytes,
    )


def _was_verifying(service: WhisperService) -> bool:
    """Whether the last status waited for the report that is there now."""
    return any(one.type == c.VERIFIED and one.status == "Unknown" for one in service.status.conditions)


def _why(job: str, report: VerifyReport | None, observed: Observed) -> str:
    failed = [f"{one.name}: {one.message}" for one in report.checks if not one.passed] if report else []
    trouble = pod_status.trouble(observed, names.VERIFY)
    what = "; ".join(failed) or (trouble[1] if trouble else "no report came of it")
    return f"{what}. Delete Job {job} to verify again"
