"""The Job that verifies the live rollout, its attempts, and its report once it has ended: pure.

Attempts are counted by the Jobs themselves: a failed one stays until the next has been made, under another name.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.objects.manifest import annotations_of, condition, is_true, labels_of
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_reports import VERIFY, is_outlived, kept_report, verify_report
from whisper_operator.resolve.promise import Promise
from whisper_runtime.contract.reports import VerifyReport

REVISION: Final = "deployment.kubernetes.io/revision"
"""Counts a Deployment's templates; written by Kubernetes."""
RETRY_SECONDS: Final = (60.0, 3600.0)
"""A failed verification is repeated after the first, then after twice as long each time, up to the second."""


@dataclass(frozen=True)
class VerificationState:
    is_on: bool
    """Whether real requests prove each rollout: `verification` is in the spec and not disabled."""
    job_name: str | None
    """The Job that is wanted now; None where it is off, or no Deployment is live yet."""
    attempt: int
    """Its number among those of this rollout, from 1."""
    job: Manifest | None
    outlived: VerifyReport | None
    """The report of a verification whose pod a sidecar keeps running, or kept; None: the Job ends by itself."""
    is_passed: bool
    is_failed: bool
    """Whether the Job has failed for good; both are False while it runs."""
    report: VerifyReport | None
    """The report of the Job's newest pod; None until the Job has ended, because it may try again."""
    pods: Sequence[Manifest]
    """Every pod that verifies, newest first."""
    retry_in: float | None
    """Seconds until a failed one is repeated; None where none is."""

    @property
    def is_to_come(self) -> bool:
        """Whether the rollout is still to be verified."""
        return self.is_on and not (self.is_passed or self.is_failed)


def resolve_verification(
    service: WhisperService, observed: Observed, deployment: Manifest | None, promise: Promise
) -> VerificationState:
    is_on = service.spec.verification is not None and service.spec.verification.enabled
    attempt, job = _newest(service, observed, deployment) if is_on else (1, None)
    pods = observed.pods(names.VERIFY) if job else []
    own = pod_status.of_job(pods, job["metadata"]["name"]) if job else []
    outlived = _outlived(job, own) if job else None
    is_passed = is_true(job, "Complete") or (outlived is not None and outlived.passed)
    is_failed = not is_passed and (is_true(job, "Failed") or outlived is not None)
    retry_in = _retry_in(job, attempt, observed.facts.now) if is_failed and promise.proves_model else None
    if retry_in == 0:
        attempt, job, outlived, is_failed, retry_in, pods = attempt + 1, None, None, False, None, []
    name = verify_job_name(service.metadata.name, deployment, attempt) if is_on and deployment else None
    report = outlived or next(filter(None, map(verify_report, own)), None) if is_passed or is_failed else None
    return VerificationState(is_on, name, attempt, job, outlived, is_passed, is_failed, report, pods, retry_in)


def _outlived(job: Manifest, pods: Sequence[Manifest]) -> VerifyReport | None:
    """The report, as the Job keeps it, or as it is in a pod that a sidecar keeps running; else None."""
    reports = (verify_report(pod) for pod in pods if is_outlived(pod, VERIFY))
    return kept_report(VerifyReport, job) or next(filter(None, reports), None)


def verify_job_name(service: str, deployment: Manifest, attempt: int = 1) -> str | None:
    """Name of the Job that verifies the Deployment's revision; None before Kubernetes has counted it."""
    revision = annotations_of(deployment).get(REVISION)
    if revision is None:
        return None
    identity = f"{deployment['metadata']['uid']} {revision}" + (f" {attempt}" if attempt > 1 else "")
    return names.verify_job(service, hashlib.sha256(identity.encode()).hexdigest())


def _newest(service: WhisperService, observed: Observed, deployment: Manifest | None) -> tuple[int, Manifest | None]:
    """The last attempt at this rollout, and its Job; the first, and None, where there is none."""
    jobs = [body for (kind, _), body in observed.objects.items() if kind == JOB.kind]
    found = dict[int, Manifest]()
    for job in jobs if deployment else ():
        attempt = _attempt_of(job)
        if job["metadata"]["name"] == verify_job_name(service.metadata.name, deployment or {}, attempt):
            found[attempt] = job
    newest = max(found, default=1)
    return newest, found.get(newest)


def _attempt_of(job: Manifest) -> int:
    is_verification = labels_of(job).get(names.LABEL_COMPONENT) == names.VERIFY
    number = annotations_of(job).get(names.ANNOTATION_ATTEMPT, "1") if is_verification else "1"
    return int(number) if number.isdigit() else 1


def _retry_in(job: Manifest | None, attempt: int, now: float) -> float:
    """Seconds until a verification that has failed is repeated, 0: now.

    A Job that a sidecar outlived ends suspended; until it is, the pause has not begun.
    """
    first, longest = RETRY_SECONDS
    ended = next((kind for kind in ("Failed", "Suspended") if is_true(job, kind)), "")
    since = (condition(job, ended) or {}).get("lastTransitionTime")
    waited = now - datetime.datetime.fromisoformat(since).timestamp() if since else 0.0
    # 2 ** 10 minutes are longer than the longest pause already.
    return max(0.0, min(first * 2 ** min(attempt - 1, 10), longest) - waited)
