"""Whether the operator starts the first pod of a service, or ends its last ones: between no pod and one. Pure.

Between one pod and many it is the autoscaler's: one whose smallest number is not 0 leaves a Deployment of no pods alone
(https://github.com/kubernetes/enhancements/tree/master/keps/sig-autoscaling/2021-scale-from-zero), so that the two
never write at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.observe.demand import FrontDemand

SILENT_SECONDS: Final = 60.0
"""Without an answer of the front for so long, requests may wait there that nobody knows of."""


@dataclass(frozen=True)
class ScaleStep:
    replicas: int
    """Number of pods that the Deployment is to want."""
    reason: str
    """That of the condition Awake."""


@dataclass(frozen=True)
class ScaleInput:
    """What the decision rests on."""

    may_sleep: bool
    """Whether the operator scales the service to zero."""
    fewest: int
    """The smallest number of pods that the spec wants."""
    wanted: int
    """The number that the Deployment wants."""
    is_asleep_by_us: bool
    """Whether that is none, written by the operator, or by KEDA before the spec took it away."""
    is_busy: bool
    """Whether pods are rolled out, proven or verified, have jobs to do, or are reached by clients directly."""
    has_model_to_prove: bool
    """Whether the spec's model has been fetched and no pod has been ready with it yet."""
    demand: FrontDemand | None
    """None: the front was not asked."""
    awake_seconds: float
    """Since the newest pod became ready."""
    asleep_seconds: float
    """Since the last pods of a service that keeps jobs were ended; 0: it keeps none."""
    after: float
    """Seconds without a request after which the last pods end."""


def next_step(given: ScaleInput) -> ScaleStep | None:
    """The step to take now; None: the number stays."""
    if given.wanted == 0:
        return _wake(given)
    return ScaleStep(0, c.IDLE) if _is_idle(given) else None


def _wake(given: ScaleInput) -> ScaleStep | None:
    if not given.may_sleep:
        return ScaleStep(max(1, given.fewest), c.SPEC_CHANGED) if given.is_asleep_by_us else None
    if given.demand and (given.demand.is_there or _may_have_left_a_job(given.demand, given.asleep_seconds)):
        return ScaleStep(1, c.DEMANDED)
    if given.has_model_to_prove:
        return ScaleStep(1, c.MODEL_TO_PROVE)
    if given.demand and given.demand.silent_seconds >= SILENT_SECONDS:
        return ScaleStep(1, c.FRONT_SILENT)
    return None


def _may_have_left_a_job(demand: FrontDemand, asleep_seconds: float) -> bool:
    """Whether a request has ended since the last pods were ended: they may have taken a job and not done it."""
    return not demand.silent and not demand.silent_seconds and demand.idle_seconds < asleep_seconds


def _is_idle(given: ScaleInput) -> bool:
    demand = given.demand
    if not given.may_sleep or given.is_busy or demand is None or demand.silent or demand.silent_seconds:
        return False
    return not demand.is_there and min(demand.idle_seconds, given.awake_seconds) >= given.after
