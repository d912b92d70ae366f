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
HTTP_ROUTE: Final = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
DISRUPTION_BUDGET: Final = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
NETWORK_POLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
SCALED_OBJECT: Final = Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects")
SERVICE_MONITOR: Final = Kind("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors")
PROMETHEUS_RULE: Final = Kind("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules")

CHILD_KINDS: Final = (
    SERVICE_ACCOUNT,
    NETWORK_POLICY,
    CLAIM,
    JOB,
    SERVICE,
    DEPLOYMENT,
    AUTOSCALER,
    SCALED_OBJECT,
    DISRUPTION_BUDGET,
    INGRESS,
    HTTP_ROUTE,
    SERVICE_MONITOR,
    PROMETHEUS_RULE,
)
"""Kinds that the operator applies and prunes; those that pods wait for, or are guarded by, come first."""

RESOURCE_SLICE: Final = Kind("resource.k8s.io/v1", "ResourceSlice", "resourceslices")
DEVICE_CLASS: Final = Kind("resource.k8s.io/v1", "DeviceClass", "deviceclasses")
RESOURCE_CLAIM: Final = Kind("resource.k8s.io/v1", "ResourceClaim", "resourceclaims")
RESOURCE_CLAIM_TEMPLATE: Final = Kind("resource.k8s.io/v1", "ResourceClaimTemplate", "resourceclaimtemplates")

DEVICE_FACTS: Final = (RESOURCE_SLICE, DEVICE_CLASS)
"""What drivers of dynamic resource allocation offer."""
OPTIONAL_KINDS: Final = frozenset({HTTP_ROUTE, SCALED_OBJECT, SERVICE_MONITOR, PROMETHEUS_RULE, *DEVICE_FACTS})
"""Kinds whose API a cluster may lack."""

POD: Final = Kind("v1", "Pod", "pods")
"""Watched for its condition, never applied."""
WATCHED_BY_LABEL: Final = frozenset({*CHILD_KINDS, POD} - {INGRESS})
"""Kinds of which only what has the service's label is listed and watched: of Ingresses all are, for their hosts."""

NODE: Final = Kind("v1", "Node", "nodes")
STORAGE_CLASS: Final = Kind("storage.k8s.io/v1", "StorageClass", "storageclasses")
QUOTA: Final = Kind("v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE: Final = Kind("v1", "LimitRange", "limitranges")

GATEWAY: Final = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways")
"""Read for the protocol of its listeners, where it may be; never applied."""

CLUSTER_FACTS: Final = (NODE, STORAGE_CLASS, *DEVICE_FACTS)
"""Kinds of the cluster that preflight reads; out of reach where only namespaces may be read."""
NAMESPACE_FACTS: Final = (QUOTA, LIMIT_RANGE)
"""Kinds of a namespace that preflight reads."""

EVENT: Final = Kind("v1", "Event", "events")
"""Read for the cause where a pod's own status shows none: volumes and probes."""

WHISPER_SERVICE: Final = Kind(API_VERSION, KIND, PLURAL)


_CHILDREN_BY_NAME: Final = {kind.kind: kind for kind in CHILD_KINDS}


def by_name(kind: str) -> Kind:
    """The child kind of that name; raises KeyError where it is none."""
    return _CHILDREN_BY_NAME[kind]
