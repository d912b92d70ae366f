"""The Job that verifies the live rollout, and its report once it has ended: pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.objects.manifest import annotations_of, is_true
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_reports import verify_report
from whisper_runtime.contract.reports import VerifyReport

REVISION: Final = "deployment.kubernetes.io/revision"
"""Counts a Deployment's templates; written by Kubernetes."""


@dataclass(frozen=True)
class VerificationState:
    is_on: bool
    """Whether real requests prove each rollout: `verification` is in the spec and not disabled."""
    job_name: str | None
    """None where it is off, or no Deployment is live yet."""
    job: Manifest | None
    is_passed: bool
    is_failed: bool
    """Whether the Job has failed for good; both are False while it runs."""
    report: VerifyReport | None
    """The report of the Job's newest pod; None until the Job has ended, because it may try again."""
    pods: Sequence[Manifest]
    """Every pod that verifies, newest first."""


def resolve_verification(service: WhisperService, observed: Observed, deployment: Manifest | None) -> VerificationState:
    is_on = service.spec.verification is not None and service.spec.verification.enabled
    name = verify_job_name(service.metadata.name, deployment) if is_on and deployment else None
    job = observed.get(JOB, name) if name else None
    is_passed, is_failed = is_true(job, "Complete"), is_true(job, "Failed")
    pods = observed.pods(names.VERIFY) if job else []
    reports = (verify_report(pod) for pod in pod_status.of_job(pods, name))
    report = next(filter(None, reports), None) if is_passed or is_failed else None
    return VerificationState(is_on, name, job, is_passed, is_failed, report, pods)


def verify_job_name(service: str, deployment: Manifest) -> str | None:
    """Name of the Job that verifies the Deployment's revision; None before Kubernetes has counted it."""
    revision = annotations_of(deployment).get(REVISION)
    if revision is None:
        return None
    identity = f"{deployment['metadata']['uid']} {revision}"
    return names.verify_job(service, hashlib.sha256(identity.encode()).hexdigest())
