"""When and why a service without pods last woke, and whether it is awake: pure."""

from __future__ import annotations

import datetime

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.status import MOST_WAKES, ScaleToZeroStatus
from whisper_operator.observe.pod_status import ready_since
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.scaling import SILENT_SECONDS
from whisper_operator.resolve.wake import parts_of_wake, unix
from whisper_operator.resolve.zero import scales_to_zero

WHY = {
    c.DEMANDED: "requests were held at the front",
    c.MODEL_TO_PROVE: "the spec names another model, which pods have to prove",
    c.FRONT_SILENT: f"no pod of the front has told for {SILENT_SECONDS:.0f} s whether it holds requests",
    c.SPEC_CHANGED: "the spec no longer lets the operator scale to zero",
}
"""Why the operator started the first pod, by the reason."""


def zero_status(resolved: Resolved) -> ScaleToZeroStatus | None:
    """None where neither the operator nor KEDA scales to zero, and none has."""
    before, step = resolved.service.status.scale_to_zero, resolved.scaled
    if step is None:
        before = _with_kedas_step(before, resolved)
        return _with_seconds(before, resolved) if before else None
    known, now = before or ScaleToZeroStatus(), _rfc3339(resolved.observed.facts.now)
    if step.replicas == 0:
        load = resolved.observed.facts.load
        speed = float(f"{load.speed:.3g}") if load else known.audio_speed
        return known.model_copy(update={"last_sleep": now, "audio_speed": speed})
    return known.model_copy(update={"last_wake": now, "reason": step.reason, "seconds": None})


def _with_kedas_step(record: ScaleToZeroStatus | None, resolved: Resolved) -> ScaleToZeroStatus | None:
    """`record` with a step of KEDA's that is seen for the first time; it is KEDA's own business why."""
    scaling, was_asleep = resolved.service.spec.autoscaling, record is not None and record.slept_last
    is_kedas = scaling is not None and scaling.keda is not None and not resolved.service.spec.suspend
    is_asleep = resolved.replicas.wanted == 0
    if not is_kedas or resolved.deployment is None or is_asleep == was_asleep:
        return record
    known, now = record or ScaleToZeroStatus(), _rfc3339(resolved.observed.facts.now)
    if is_asleep:
        return known.model_copy(update={"last_sleep": now})
    return known.model_copy(update={"last_wake": now, "reason": None, "seconds": None})


def awake(resolved: Resolved) -> ConditionUpdate | None:
    """False while the operator has the service at no pods; None where it does not scale it to zero."""
    scaling = resolved.service.spec.autoscaling
    if scaling is None or resolved.deployment is None or not scales_to_zero(resolved.service.spec):
        return None
    if resolved.wanted_pods == 0:
        after = scaling.sleeps_after
        message = f"no pod runs: the next request starts one, after {after} without any the last pods end"
        return ConditionUpdate(c.AWAKE, "False", c.IDLE, message)
    demand = resolved.observed.facts.demand
    if demand and demand.silent_seconds >= SILENT_SECONDS:
        message = (
            f"{WHY[c.FRONT_SILENT]}, so pods stay: see that the front runs, and that spec.networkPolicy.metricsFrom "
            "admits the operator's namespace"
        )
        return ConditionUpdate(c.AWAKE, "True", c.FRONT_SILENT, message)
    record = zero_status(resolved)
    if record is None or record.reason is None or record.slept_last:
        return ConditionUpdate(c.AWAKE, "True", c.STARTED, "")
    took = "" if record.seconds is None else f"; the first pod was ready after {record.seconds} s"
    return ConditionUpdate(c.AWAKE, "True", record.reason, f"{WHY.get(record.reason, record.reason)}{took}")


def _with_seconds(record: ScaleToZeroStatus, resolved: Resolved) -> ScaleToZeroStatus:
    """`record` with the time that the last wake took, once a pod is ready."""
    ready = (pod for pod in resolved.server_pods if ready_since([pod]))
    first = min(ready, key=lambda pod: ready_since([pod]), default=None)
    if record.seconds is not None or record.last_wake is None or first is None or record.slept_last:
        return record
    woken = unix(record.last_wake)
    took = record.model_copy(update={"seconds": max(0, round(ready_since([first])[0] - woken))})
    if unix(first["metadata"]["creationTimestamp"]) < woken:
        return took  # somebody else had started it before
    return took.model_copy(update={"wakes": (parts_of_wake(first, woken), *record.wakes)[:MOST_WAKES]})


def _rfc3339(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
