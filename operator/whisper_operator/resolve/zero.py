"""What a step between no pod and one rests on, from everything that a pass has resolved. Pure."""

from __future__ import annotations

from whisper_operator.api.units import duration_seconds
from whisper_operator.api.v1alpha1 import Spec
from whisper_operator.observe.pod_status import ready_since
from whisper_operator.resolve.promise import fewest_pods
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.scaling import ScaleInput, ScaleStep, next_step
from whisper_operator.resolve.wake import unix


def scale_step(resolved: Resolved) -> ScaleStep | None:
    """The number of pods to write now; None: it stays."""
    if resolved.deployment is None or resolved.service.spec.suspend:
        return None
    return next_step(_input(resolved))


def seconds_until_idle(resolved: Resolved) -> float | None:
    """Seconds until the last pods may be ended at the earliest, 0: as soon as all is quiet; None: they may not be."""
    if not scales_to_zero(resolved.service.spec) or resolved.deployment is None or resolved.replicas.wanted == 0:
        return None
    given = _input(resolved)
    quiet = min(given.demand.idle_seconds if given.demand else 0.0, given.awake_seconds)
    is_unknown = given.demand is None or bool(given.demand.silent)
    return 0.0 if is_unknown else max(0.0, given.after - quiet)


def scales_to_zero(spec: Spec) -> bool:
    """Whether the operator itself starts the first pod and ends the last ones."""
    return spec.autoscaling is not None and spec.autoscaling.is_woken_by_operator and not spec.suspend


def has_to_run(resolved: Resolved) -> bool:
    """Whether pods have to be there that nobody asks for yet: to prove the model, or until a rollout is verified."""
    is_unverified = resolved.replicas.wanted > 0 and resolved.verification.is_to_come
    return resolved.model.last_good is None or _has_model_to_prove(resolved) or is_unverified


def _has_model_to_prove(resolved: Resolved) -> bool:
    """Whether a change of the model waits for pods, and can have them."""
    change = resolved.model.change
    return bool(change and change.failure is None and resolved.model.admitted == change.wanted)


def _input(resolved: Resolved) -> ScaleInput:
    spec, scaling = resolved.service.spec, resolved.service.spec.autoscaling
    record = resolved.service.status.scale_to_zero
    return ScaleInput(
        may_sleep=scales_to_zero(spec),
        fewest=fewest_pods(spec),
        wanted=resolved.replicas.wanted,
        # No field manager tells: of a number that is 0, the API server keeps none for /scale.
        is_asleep_by_us=scaling is not None and scaling.keda is None and record is not None and record.slept_last,
        is_busy=_is_busy(resolved),
        has_model_to_prove=_has_model_to_prove(resolved),
        demand=resolved.observed.facts.demand,
        awake_seconds=_awake_seconds(resolved),
        asleep_seconds=_asleep_seconds(resolved),
        after=duration_seconds(scaling.sleeps_after) if scaling else 0.0,
    )


def _is_busy(resolved: Resolved) -> bool:
    front, change = resolved.front, resolved.model.change
    return (
        not (resolved.replicas.is_complete and resolved.promise.proves_model)
        or bool(change and change.failure is None)
        or resolved.verification.is_to_come
        or _has_jobs_to_do(resolved)
        or front is None
        or not (front.is_ready and front.is_selected and front.clients_reach == "front")
    )


def _has_jobs_to_do(resolved: Resolved) -> bool:
    """Whether a job or a batch has not ended, as far as is known: the store was looked at after the last request.

    Results that are in the pod go with it.
    """
    facts, jobs = resolved.observed.facts, resolved.service.spec.jobs
    if jobs is None:
        return False
    if jobs.storage.type == "EmptyDir":
        return True
    idle = facts.demand.idle_seconds if facts.demand else 0.0
    return facts.jobs is None or facts.jobs.unended != 0 or facts.jobs.age_seconds > idle


def _asleep_seconds(resolved: Resolved) -> float:
    """Seconds since the operator ended the last pods of a service that keeps jobs; 0 where that is not so."""
    record = resolved.service.status.scale_to_zero
    if resolved.service.spec.jobs is None or record is None or record.last_sleep is None or not record.slept_last:
        return 0.0
    return max(0.0, resolved.observed.facts.now - unix(record.last_sleep))


def _awake_seconds(resolved: Resolved) -> float:
    """Seconds since the newest pod that serves became ready; 0 where none is."""
    newest = max(ready_since(resolved.server_pods), default=None)
    return 0.0 if newest is None else max(0.0, resolved.observed.facts.now - newest)
