"""Children that could not be applied, in the conditions that they are about: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.external_reasons import STALLING
from whisper_operator.objects import names
from whisper_operator.objects.kinds import (
    AUTOSCALER,
    CLAIM,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    HTTP_ROUTE,
    INGRESS,
    NETWORK_POLICY,
    PROMETHEUS_RULE,
    SCALED_OBJECT,
    SERVICE,
    SERVICE_ACCOUNT,
    SERVICE_MONITOR,
    Kind,
)

ABOUT: Final[Mapping[Kind, str]] = {
    SERVICE: c.EXPOSED,
    INGRESS: c.EXPOSED,
    HTTP_ROUTE: c.EXPOSED,
    SERVICE_MONITOR: c.MONITORED,
    PROMETHEUS_RULE: c.MONITORED,
    AUTOSCALER: c.AUTOSCALING_ACTIVE,
    SCALED_OBJECT: c.AUTOSCALING_ACTIVE,
    DISRUPTION_BUDGET: c.PROTECTED,
    NETWORK_POLICY: c.PROTECTED,
    CLAIM: c.CACHE_AS_SPECIFIED,  # but for the claim of jobs
    SERVICE_ACCOUNT: c.ROLLED_OUT,
    DEPLOYMENT: c.ROLLED_OUT,
}
"""The condition that is False where a child of that kind could not be applied; a Job's shows in Stalled alone."""


@dataclass(frozen=True)
class Refusal:
    """One child that is not as the spec wants it, or what could not be read, because the API server did not take it."""

    kind: Kind | None
    """None: no child, but an object that the spec names."""
    name: str
    reason: str
    """A reason of a condition, such as Rejected; Stalled is True for one that the registry says stalls."""
    message: str
    """Names the child, and says what the API server answered."""

    @property
    def about(self) -> str | None:
        """The condition that is False because of it; None: it shows in Stalled alone."""
        if self.kind == CLAIM and names.is_jobs_claim(self.name):
            return c.JOB_STORAGE_AS_SPECIFIED
        return ABOUT.get(self.kind) if self.kind else None


def not_served(field: str, wanted: Kind, remedy: str) -> ConditionUpdate:
    """The condition about a child whose API the cluster does not serve. `field`: that asks for it."""
    message = f"{field}: the cluster does not serve {wanted.api_version} {wanted.kind}: {remedy}"
    return ConditionUpdate(ABOUT[wanted], "False", c.API_MISSING, message)


def told(refused: Sequence[Refusal]) -> list[ConditionUpdate]:
    """All of them, under the reason of the first: as Stalled where that stalls, else as Reconciling."""
    if not refused:
        return []
    reason, message = refused[0].reason, "; ".join(one.message for one in refused)
    return [ConditionUpdate(c.STALLED if reason in STALLING else c.RECONCILING, "True", reason, message)]


def with_refusals(found: Sequence[ConditionUpdate], refused: Sequence[Refusal]) -> list[ConditionUpdate]:
    """`found`, with each condition False that a refused child is about."""
    about = {one.about: one for one in reversed(refused) if one.about}
    of_refused = {kind: ConditionUpdate(kind, "False", one.reason, one.message) for kind, one in about.items()}
    known = {update.type for update in found}
    added = [update for kind, update in of_refused.items() if kind not in known]
    return [*(of_refused.get(update.type, update) for update in found), *added]
