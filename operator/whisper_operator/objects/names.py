"""Every name, label and annotation that the operator gives to an object."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import GROUP

FIELD_MANAGER: Final = "whisper-operator"
HANDOVER_MANAGER: Final = "whisper-operator-handover"
"""Holds `spec.replicas` of a Deployment whose autoscaler owns the number, so that no apply resets it."""

LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_SERVICE: Final = f"{GROUP}/service"

ANNOTATION_APPLIED: Final = f"{GROUP}/applied"
"""Hash of the manifest as it was applied."""
ANNOTATION_ROLLOUT: Final = f"{GROUP}/rollout"
"""On the Deployment: the reason of its strategy."""
ANNOTATION_LAST_GOOD_MODEL: Final = f"{GROUP}/last-good-model"
"""The model that the Deployment's pods were last all ready with: a change that fails leads back to it."""
ANNOTATION_FAILED_MODEL: Final = f"{GROUP}/failed-model"
"""The model that pods did not become ready with, why, and under which spec, as JSON."""
ANNOTATION_GPU_HOSTS: Final = f"{GROUP}/gpu-hosts"
"""On the Job that fetches: the hosts on one of which it has to run."""
ANNOTATION_GOLDEN_TEXT: Final = f"{GROUP}/golden-text"
"""On pods: the text of the user's own golden clip."""

SERVER: Final = "server"
PREFETCH: Final = "prefetch"
VERIFY: Final = "verify"


def labels(service: str, component: str) -> dict[str, str]:
    return {
        LABEL_NAME: "whisper",
        LABEL_INSTANCE: service,
        LABEL_COMPONENT: component,
        LABEL_MANAGED_BY: FIELD_MANAGER,
        LABEL_SERVICE: service,
    }


def selector(service: str) -> dict[str, str]:
    """The labels of the pods that serve; frozen, for a Deployment's selector cannot change."""
    return {LABEL_NAME: "whisper", LABEL_INSTANCE: service, LABEL_COMPONENT: SERVER}


def models_claim(service: str) -> str:
    return f"{service}-models"


def metrics_service(service: str) -> str:
    return f"{service}-metrics"


def prefetch_job(service: str, digest: str) -> str:
    return f"{service}-prefetch-{digest[:8]}"


def verify_job(service: str, digest: str) -> str:
    return f"{service}-verify-{digest[:8]}"
