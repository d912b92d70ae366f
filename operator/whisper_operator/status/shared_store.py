"""The condition on the store that the pods share, by what they report of it: pure."""

from __future__ import annotations

from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.shared_store import StoreReason

CONCLUSIVE: Final[frozenset[StoreReason]] = frozenset({"StoreInUse"})
"""All is as it should be."""


def store_usable(resolved: Resolved) -> ConditionUpdate | None:
    """False for the first pod that cannot use it, or finds it unsafe; None where the spec names none."""
    if resolved.service.spec.redis is None or resolved.service.spec.suspend:
        return None
    reports = resolved.observed.facts.store_reports
    known = {pod: report for pod, report in reports.items() if report and report.reason != "StoreUntried"}
    wrong = {pod: report for pod, report in known.items() if report.reason not in CONCLUSIVE}
    if wrong:
        pod, report = min(wrong.items())
        alone = "" if report.is_used else ": limits count for each such pod alone"
        return ConditionUpdate(c.STORE_USABLE, "False", report.reason, f"Pod/{pod}: {report.message}{alone}")
    if known:
        return ConditionUpdate(c.STORE_USABLE, "True", c.STORE_IN_USE)
    message = (
        "no ready pod has reported on the store yet; with spec.networkPolicy, the operator's own namespace has to be "
        "in metricsFrom"
    )
    return ConditionUpdate(c.STORE_USABLE, "Unknown", c.STORE_NOT_REPORTED, message)
