"""What clients want of a service now, as the pods of its front report it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whisper_runtime.contract.front import DemandReport


@dataclass(frozen=True)
class FrontDemand:
    held: int = 0
    """Requests that wait for a pod that serves."""
    active: int = 0
    """Requests that such a pod has been sent."""
    refused: int = 0
    """Requests of the last seconds that it refused since no pod served, or would have in time."""
    idle_seconds: float = 0.0
    """Since the last request ended at any pod of the front."""
    silent: tuple[str, ...] = ()
    """Ready pods of the front that did not answer, and may hold requests."""
    silent_seconds: float = 0.0
    """For how long none has answered; 0: one does."""

    @property
    def is_there(self) -> bool:
        return self.held > 0 or self.active > 0 or self.refused > 0


def demand_of(reports: Mapping[str, DemandReport | None], silent_seconds: float = 0.0) -> FrontDemand:
    """The demand on the whole front. `reports`: by the names of its ready pods; None: it did not answer."""
    answered = [report for report in reports.values() if report]
    return FrontDemand(
        held=sum(report.held_requests for report in answered),
        active=sum(report.active_requests for report in answered),
        refused=sum(report.refused_requests for report in answered),
        idle_seconds=min((report.idle_seconds for report in answered), default=0.0),
        silent=tuple(sorted(pod for pod, report in reports.items() if report is None)),
        silent_seconds=0.0 if answered else silent_seconds,
    )
