"""The condition on the front: pure."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.observe import pod_status
from whisper_operator.resolve.front import FrontState
from whisper_operator.resolve.resolved import Resolved


def front_ready(resolved: Resolved) -> ConditionUpdate | None:
    """None where the spec wants no front, or no pods at all."""
    front = resolved.front
    if front is None or not front.is_wanted or resolved.service.spec.suspend:
        return None
    progress = _progress(front)
    if front.counts.is_complete and front.counts.wanted == front.replicas:
        return ConditionUpdate(c.FRONT_READY, "True", c.AS_SPECIFIED, progress)
    return ConditionUpdate(c.FRONT_READY, "False", *_lacking(resolved, front))


def no_way_in(resolved: Resolved) -> str | None:
    """Why clients reach neither a pod that serves nor the front; None where they reach one, or there is no front."""
    front = resolved.front
    if front is None or not front.is_wanted or front.is_ready or resolved.replicas.available:
        return None
    return f"no pod serves, and no pod of the front takes requests: {_lacking(resolved, front)[1]}"


def _lacking(resolved: Resolved, front: FrontState) -> tuple[str, str]:
    """The reason and the message of what its pods lack."""
    cause = pod_status.cause_of(front.pods, resolved.observed.facts.warnings)
    progress = _progress(front)
    return (cause.reason, f"{progress}; {cause.message}") if cause else (c.ROLLING_OUT, progress)


def _progress(front: FrontState) -> str:
    return f"{front.counts.available} of {front.replicas} pods of the front available"
