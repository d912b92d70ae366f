"""Asks the pod that keeps a service's jobs what waits there."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.pod_reports import PodReports, ready_pods
from whisper_runtime.contract.network import JOBS_REPORT_PATH
from whisper_runtime.contract.reports import JobsReport

ASK_SECONDS: Final = 60.0
SILENT_SECONDS: Final = 600.0
AT_ONCE_SECONDS: Final = 0.5
"""For a decision that must not rest on what was true a minute ago."""
SILENT_AT_ONCE_SECONDS: Final = 10.0


def job_reports() -> PodReports[JobsReport]:
    return PodReports(JOBS_REPORT_PATH, JobsReport, ask_seconds=ASK_SECONDS, silent_seconds=SILENT_SECONDS)


def job_reports_at_once() -> PodReports[JobsReport]:
    """The same of services that may be about to sleep."""
    return PodReports(JOBS_REPORT_PATH, JobsReport, ask_seconds=AT_ONCE_SECONDS, silent_seconds=SILENT_AT_ONCE_SECONDS)


def keeper(service: WhisperService, observed: Observed) -> Manifest | None:
    """The newest ready pod that keeps the service's jobs; None where the spec has none, or no pod is ready."""
    return next(iter(ready_pods(observed, names.SERVER)), None) if service.spec.jobs else None
