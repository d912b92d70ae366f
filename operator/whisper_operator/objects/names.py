"""Every name, label and annotation that the operator gives to an object."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import GROUP

FIELD_MANAGER: Final = "whisper-operator"
HANDOVER_MANAGER: Final = "whisper-operator-handover"
"""Holds `spec.replicas` of a Deployment whose autoscaler owns the number, so that no apply resets it."""

KEPT_BY_GITOPS: Final = {
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Annotations by which Argo CD and Flux leave an object alone that they take for theirs, in whichever way they track.

Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/,
https://argo-cd.readthedocs.io/en/stable/user-guide/compare-options/,
https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources
"""

LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_SERVICE: Final = f"{GROUP}/service"
LABEL_CLASS: Final = f"{GROUP}/class"
"""On a WhisperService, by the user: which of several operators reconciles it."""

ANNOTATION_APPLIED: Final = f"{GROUP}/applied"
"""Hash of the manifest as it was applied."""
ANNOTATION_ROLLOUT: Final = f"{GROUP}/rollout"
"""On the Deployment: the reason of its strategy."""
ANNOTATION_LAST_GOOD_MODEL: Final = f"{GROUP}/last-good-model"
"""The model that the Deployment's pods were last all ready with: a change that fails leads back to it."""
ANNOTATION_FAILED_MODEL: Final = f"{GROUP}/failed-model"
"""The model that pods did not become ready with, why, and under which spec, as JSON."""
ANNOTATION_ASKED: Final = f"{GROUP}/asked"
"""On the claim: the class, access mode and size that the spec asked for when it was made."""
ANNOTATION_GPU_HOSTS: Final = f"{GROUP}/gpu-hosts"
"""On the Job that fetches: the hosts on one of which it has to run."""
ANNOTATION_ATTEMPT: Final = f"{GROUP}/attempt"
"""On a Job that verifies a rollout again: its number, from 2."""
ANNOTATION_REPORT: Final = f"{GROUP}/report"
"""On a Job whose pod a sidecar kept running: the report of the operator's container, with which the Job has ended."""
ANNOTATION_GOLDEN_TEXT: Final = f"{GROUP}/golden-text"
"""On pods: the text of the user's own golden clip."""

SERVER: Final = "server"
FRONT: Final = "front"
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


OF_EVERY_CHILD: Final = frozenset(labels("", ""))
"""The labels that every child has."""


def selector(service: str, component: str = SERVER) -> dict[str, str]:
    """The labels that a service's pods of `component` have, and no other's: no chart sets LABEL_SERVICE."""
    return {**first_selector(service), LABEL_COMPONENT: component, LABEL_SERVICE: service}


def first_selector(service: str) -> dict[str, str]:
    """The selector of a Deployment of 0.1.0, which cannot change: another chart's pods may match it."""
    return {LABEL_NAME: "whisper", LABEL_INSTANCE: service, LABEL_COMPONENT: SERVER}


def models_claim(service: str) -> str:
    return f"{service}-models"


def jobs_claim(service: str) -> str:
    return f"{service}-jobs"


def is_jobs_claim(claim: str) -> bool:
    """Whether a claim that the operator makes is that of jobs."""
    return claim.endswith("-jobs")


def metrics_service(service: str) -> str:
    return f"{service}-metrics"


def front(service: str) -> str:
    """Of the front's Deployment, disruption budget and network policy."""
    return f"{service}-front"


def front_metrics(service: str) -> str:
    """Of the Service by which the front's pods are scraped."""
    return f"{service}-front-metrics"


def servers(service: str) -> str:
    """Of the Service by which the front finds the pods that serve."""
    return f"{service}-servers"


def prefetch_job(service: str, digest: str) -> str:
    return f"{service}-prefetch-{digest[:8]}"


def verify_job(service: str, digest: str) -> str:
    return f"{service}-verify-{digest[:8]}"
