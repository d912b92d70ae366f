"""Reasons of AutoscalingActive, Awake and ReplicasContested: the number of pods."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.conditions import types
from whisper_operator.api.registry import declare_reason

SCALED_TO_ZERO: Final = declare_reason(
    "ScaledToZero",
    types.READY,
    types.AVAILABLE,
    types.ROLLED_OUT,
    types.AUTOSCALING_ACTIVE,
    meaning="No pod is wanted. Under Ready: the front takes requests, and the next one starts a pod.",
    remedy="To serve without a front: scale up by `kubectl scale`.",
)
WAKING: Final = declare_reason(
    "Waking",
    types.READY,
    meaning="The first pod is being started; the front holds requests until it is ready.",
    remedy="If it lasts: see Available, and the pod.",
)
METRICS_PENDING: Final = declare_reason(
    "MetricsPending",
    types.AUTOSCALING_ACTIVE,
    meaning="The autoscaler has not read its metrics yet.",
    remedy="If it lasts: see whether metrics-server, or KEDA, runs.",
)
NOTHING_WAKES: Final = declare_reason(
    "NothingWakes",
    types.AUTOSCALING_ACTIVE,
    meaning="`spec.autoscaling.minReplicas` is 0, and without a pod no metric scales the service up again.",
    remedy="Set it to 1 or more, add a trigger to `spec.autoscaling.keda.triggers`, or scale up yourself by `kubectl "
    "scale`.",
)
IDLE: Final = declare_reason(
    "Idle",
    types.AWAKE,
    meaning="There was no request for `spec.autoscaling.scaleToZeroAfter`: the last pods have ended.",
)
DEMANDED: Final = declare_reason(
    "Demanded", types.AWAKE, meaning="The front held requests, so the operator started the first pod."
)
MODEL_TO_PROVE: Final = declare_reason(
    "ModelToProve",
    types.AWAKE,
    meaning="The spec was given another model while no pod ran: one was started to prove it before a request needs it.",
)
FRONT_SILENT: Final = declare_reason(
    "FrontSilent",
    types.AWAKE,
    meaning="No pod of the front has answered the operator on port 9000 for a minute. Requests may be held there, so "
    "pods run.",
    remedy="See that the front's pods run. With `spec.networkPolicy`: add the operator's namespace to `metricsFrom`.",
)
SPEC_CHANGED: Final = declare_reason(
    "SpecChanged",
    types.AWAKE,
    meaning="The spec no longer lets the operator scale to zero, so it started the first pod.",
)
STARTED: Final = declare_reason(
    "Started",
    types.AWAKE,
    meaning="Pods run that the operator has not woken: since the first start, or by `kubectl scale`.",
)
OTHER_AUTOSCALER: Final = declare_reason(
    "OtherAutoscaler",
    types.REPLICAS_CONTESTED,
    meaning="An autoscaler that somebody else has made scales the Deployment, and the operator puts the number back.",
    remedy="Let its `scaleTargetRef` name the WhisperService, which can be scaled, too, or use `spec.autoscaling`.",
)
