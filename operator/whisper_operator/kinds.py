"""The kinds of children, in the order in which they are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from whisper_operator.api.v1alpha1 import API_VERSION, KIND, PLURAL


@dataclass(frozen=True)
class Kind:
    """A kind of the Kubernetes API and where it is served."""

    api_version: str
    kind: str
    plural: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]


SERVICE_ACCOUNT: Final = Kind("v1", "ServiceAccount", "serviceaccounts")
CLAIM: Final = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
JOB: Final = Kind("batch/v1", "Job", "jobs")
SERVICE: Final = Kind("v1", "Service", "services")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
AUTOSCALER: Final = Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
INGRESS: Final = Kind("networking.k8s.io/v1", "Ingress", "ingresses")
SERVICE_MONITOR: Final = Kind("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors")

CHILD_KINDS: Final = (SERVICE_ACCOUNT, CLAIM, JOB, SERVICE, DEPLOYMENT, AUTOSCALER, INGRESS, SERVICE_MONITOR)
"""What the operator applies and prunes; accounts and claims first, because pods wait for them."""

OPTIONAL_KINDS: Final = (SERVICE_MONITOR,)
"""Kinds whose API a cluster may lack."""

POD: Final = Kind("v1", "Pod", "pods")
"""Watched for its condition, never applied."""

WHISPER_SERVICE: Final = Kind(API_VERSION, KIND, PLURAL)


def by_name(kind: str) -> Kind:
    """The child kind of that name."""
    return next(found for found in CHILD_KINDS if found.kind == kind)
