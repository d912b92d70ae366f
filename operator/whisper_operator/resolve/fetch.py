"""The fetch of the wanted model: what keeps it from ending well, by what its pod tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.observe import pod_status
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import (
    ServedModel,
    fetching_pods,
    last_good,
    live_model,
    wanted_job_name,
    wanted_model,
)
from whisper_runtime.contract.models import checkpoint_path
from whisper_runtime.contract.reports import DOWNLOAD_FAILED


def trouble(service: WhisperService, observed: Observed) -> tuple[str, str] | None:
    """Reason and message of what goes wrong now; None where nothing does, or nothing has begun."""
    there, progress = fetching_pods(service, observed), observed.facts.progress
    if progress and progress.problem:
        return DOWNLOAD_FAILED, f"{progress.problem}; it is tried again"
    for pod in there:
        if (report := pod_status.fetch_report(pod)) and not report.succeeded:
            return report.reason, f"{report.message}{_may_go(service, observed, report.files)}"
    name = wanted_job_name(service, observed)
    return pod_status.trouble(observed, names.PREFETCH) or pod_status.not_created(
        observed, observed.get(JOB, name) if name else None
    )


def _may_go(service: WhisperService, observed: Observed, files: Mapping[str, int]) -> str:
    """Which files of a full cache this service can do without."""
    needed = (live_model(service, observed), last_good(service, observed), wanted_model(service, observed))
    kept = {_file_of(model) for model in needed if model and model.digest}
    spare = [f"{name} ({size} bytes)" for name, size in files.items() if name not in kept]
    if not spare:
        return ""
    shared = " (unless another WhisperService with this claim serves it)" if service.spec.cache.existing_claim else ""
    return f"; may go{shared}: {', '.join(spare)}"


def _file_of(model: ServedModel) -> str:
    return checkpoint_path("", model.name, model.sha256).lstrip("/")


def running_pod(service: WhisperService, observed: Observed) -> Manifest | None:
    """The pod that fetches at this moment, which can be asked how far it is."""
    return next((pod for pod in fetching_pods(service, observed) if _is_running(pod)), None)


def _is_running(pod: Manifest) -> bool:
    status = pod.get("status", {})
    states = [one.get("state", {}) for one in status.get("containerStatuses", ())]
    return bool(status.get("podIP")) and any("running" in state for state in states)
