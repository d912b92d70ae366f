"""Asks the pod that keeps a service's jobs what waits there: once a minute, and a pod that is silent more seldom."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_status import is_ready
from whisper_operator.reconcile.pod_questions import ask
from whisper_runtime.contract.network import JOBS_REPORT_PATH
from whisper_runtime.contract.reports import JobsReport

ASK_SECONDS: Final = 60.0
SILENT_SECONDS: Final = 600.0
"""Until a pod that did not answer is asked again: where a NetworkPolicy keeps us out, each question costs seconds."""
REMEMBERED: Final = 4096


class JobReportReader:
    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, JobsReport | None]] = OrderedDict()
        """When each pod was asked, and its answer; by the pod's uid."""

    async def read(self, pod: Manifest) -> JobsReport | None:
        """The pod's last report; None where it does not answer."""
        uid, now = pod["metadata"]["uid"], time.monotonic()
        asked, report = self._seen.pop(uid, (None, None))
        if asked is None or now - asked >= (ASK_SECONDS if report else SILENT_SECONDS):
            asked, report = now, await ask(pod, JOBS_REPORT_PATH, JobsReport)
        self._seen[uid] = asked, report
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return report


def keeper(service: WhisperService, observed: Observed) -> Manifest | None:
    """The newest ready pod that keeps the service's jobs; None where the spec has none, or no pod is ready."""
    if service.spec.jobs is None:
        return None
    return next((pod for pod in observed.pods(names.SERVER) if is_ready(pod) and pod["status"].get("podIP")), None)
