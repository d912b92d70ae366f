"""The message of a child that the API server refuses: its answer, and the field of the service to change. Pure."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.passthrough import open_parts
from whisper_operator.api.v1alpha1 import Spec
from whisper_operator.kube.errors import ApiError
from whisper_operator.objects import names
from whisper_operator.objects.denials import metadata_remedy
from whisper_operator.objects.kinds import AUTOSCALER, CLAIM, DEPLOYMENT, JOB, SCALED_OBJECT, Kind

OF_SIZE: Final = ("storage usage per PersistentVolumeClaim", "requests.storage")
"""In what a LimitRange and a ResourceQuota say of a claim that is too small or too large.

Sources: plugin/pkg/admission/limitranger/admission.go, pkg/quota/v1/evaluator/core/persistent_volume_claims.go of
kubernetes/kubernetes.
"""
OF_KEDA: Final = {
    "is already managed by the": "Two autoscalers of one Deployment fight: delete that one, or remove spec.autoscaling",
    "request defined": "Write it into spec.resources.requests, or take the metric out of spec.autoscaling.metrics",
    "scalingModifiers": "The formula and its target are in spec.autoscaling.keda.advanced.scalingModifiers",
    "ScalingModifiers": "The formula and its target are in spec.autoscaling.keda.advanced.scalingModifiers",
    "fallback": "The fallback is spec.autoscaling.keda.fallback",
}
"""What mends each refusal of KEDA's webhook, by a part of its message.

Source: apis/keda/v1alpha1/scaledobject_webhook.go of kedacore/keda.
"""


def told_rejection(kind: Kind, what: str, error: ApiError, spec: Spec) -> str:
    """`what`: names the child, and what was tried."""
    return f"{what}: {error.message}{_origin(error, spec)}{_remedy(kind, what, error, spec)}"


def _origin(error: ApiError, spec: Spec) -> str:
    """Where the refused value may stand, if the API server does not say."""
    parts = open_parts(spec) if error.names_no_field else []
    return f" (in {' or '.join(parts)})" if parts else ""


def _remedy(kind: Kind, what: str, error: ApiError, spec: Spec) -> str:
    """Whether a HorizontalPodAutoscaler may have no pod is the cluster's to say: its feature gate is HPAScaleToZero.

    A Deployment keeps the selector that it was made with, whoever made it.
    Source: pkg/features/kube_features.go (on by default from Kubernetes 1.37 on).
    """
    if kind == DEPLOYMENT and "spec.selector" in error.message and "immutable" in error.message:
        return ". Somebody made it anew with another selector: delete it, and the operator makes it as it was"
    of_pods = ["spec.podMetadata"] if kind in (DEPLOYMENT, JOB) else []
    if remedy := metadata_remedy(error.message, "spec.objectMetadata", *of_pods):
        return remedy
    if kind == CLAIM and any(part in error.message for part in OF_SIZE):
        field = "spec.jobs.storage.size" if names.is_jobs_claim(what) else "spec.cache.size"
        return f". The size of the claim is {field}"
    if kind == SCALED_OBJECT:
        return next((f". {mends}" for part, mends in OF_KEDA.items() if part in error.message), "")
    scaling = spec.autoscaling
    if kind != AUTOSCALER or scaling is None or scaling.min_replicas > 0 or "spec.minReplicas" not in error.message:
        return ""
    return (
        ". spec.autoscaling.minReplicas is 0, which this cluster does not take for a HorizontalPodAutoscaler "
        "(Kubernetes does from 1.37 on): write 1 or more, or use spec.autoscaling.keda"
    )
