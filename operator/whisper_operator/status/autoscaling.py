"""Whether the autoscaler works, as it says itself: a HorizontalPodAutoscaler, or KEDA with the one it made. Pure."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import AUTOSCALER, SCALED_OBJECT
from whisper_operator.objects.manifest import condition
from whisper_operator.observe.pod_status import warning_about
from whisper_operator.resolve.autoscaling import is_woken
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.zero import scales_to_zero
from whisper_operator.status.refused import not_served


def autoscaling_active(resolved: Resolved) -> ConditionUpdate | None:
    scaling = resolved.service.spec.autoscaling
    if scaling is None or resolved.service.spec.suspend:
        return None
    if scaling.keda and SCALED_OBJECT not in resolved.installation.kinds:
        remedy = "install KEDA, or remove spec.autoscaling.keda for a HorizontalPodAutoscaler"
        return not_served("spec.autoscaling.keda", SCALED_OBJECT, remedy)
    if resolved.replicas.wanted == 0 and scales_to_zero(resolved.service.spec):
        rests = "the autoscaler rests while there is no pod: the operator starts the first one"
        return ConditionUpdate(c.AUTOSCALING_ACTIVE, "True", c.SCALED_TO_ZERO, rests)
    said = _of_keda(resolved) if scaling.keda else condition(resolved.live(AUTOSCALER), "ScalingActive")
    if said is None or (said["status"] == "Unknown" and not said.get("reason")):
        return ConditionUpdate(
            c.AUTOSCALING_ACTIVE, "Unknown", c.METRICS_PENDING, "the autoscaler has not reported yet"
        )
    if scaling.min_replicas == 0 and said["status"] == "True" and not is_woken(scaling):
        message = (
            "spec.autoscaling.minReplicas is 0: once the last pod has ended, no pod is left whose queue or load "
            "would scale the service up again: write 1, spec.autoscaling.keda.onDemand, or a trigger in "
            "spec.autoscaling.keda.triggers, or scale it up with kubectl scale"
        )
        return ConditionUpdate(c.AUTOSCALING_ACTIVE, "False", c.NOTHING_WAKES, message)
    # While it works, its message names the metric that weighed most, which changes all the time.
    message = "" if said["status"] == "True" else said.get("message", "")
    return ConditionUpdate(c.AUTOSCALING_ACTIVE, said["status"], said.get("reason") or c.APPLIED, message)


def _of_keda(resolved: Resolved) -> Manifest | None:
    """Its condition Ready, with the Event's cause where a trigger fails; None: it has not looked yet.

    Ready speaks of the triggers that KEDA itself reads. Where it leaves that to the autoscaler it has made, as with
    a smallest number of 1 or more, what cannot be read is in HPAActive alone, from KEDA 2.21 on.
    Source: pkg/scaling/executor/scale_scaledobjects.go of kedacore/keda.
    """
    live = resolved.live(SCALED_OBJECT)
    ready, of_made = condition(live, "Ready"), condition(live, "HPAActive")
    said = of_made if ready and ready["status"] == "True" and of_made and of_made["status"] == "False" else ready
    if live is None or said is None or said["status"] == "True":
        return said
    warned = warning_about(resolved.observed.facts.warnings, SCALED_OBJECT.kind, live)
    return {**said, "message": f"{said.get('message', '')}: {warned.message}"} if warned else said
