"""The parts that the templates of serving, fetching and verifying pods share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.installation import Installation
from whisper_operator.resolve.claim import cache_size, claim_name
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import METRICS_PATH, METRICS_PORT

HARDENED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
SCRAPED: Final = {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": str(METRICS_PORT),
    "prometheus.io/path": METRICS_PATH,
}
SCRATCH_LIMIT: Final = "8Gi"
"""Uploads on their way to the decoder; a pod that exceeds it is evicted, not the node."""


def common(service: WhisperService, installation: Installation) -> Manifest:
    """The fields that every pod of a service has in its spec."""
    spec, wanted, fs_group = service.spec, service.spec.scheduling, installation.fs_group
    group = {} if fs_group is None else {"fsGroup": fs_group, "fsGroupChangePolicy": "OnRootMismatch"}
    return {
        "serviceAccountName": service.metadata.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **group},
        **(
            {"imagePullSecrets": [{"name": ref.name} for ref in secrets]}
            if (secrets := spec.image.pull_secrets)
            else {}
        ),
        **({"nodeSelector": wanted.node_selector} if wanted.node_selector else {}),
        **({"tolerations": list(wanted.tolerations)} if wanted.tolerations else {}),
        **({"affinity": wanted.affinity} if wanted.affinity else {}),
        **({"priorityClassName": wanted.priority_class_name} if wanted.priority_class_name else {}),
    }


def variables(config: RuntimeConfig) -> list[Manifest]:
    """The environment of a container with that configuration."""
    return [{"name": name, "value": value} for name, value in sorted(config.to_env().items())]


def scratch() -> Manifest:
    return {"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH_LIMIT}}


def models_volume(service: WhisperService) -> list[Manifest]:
    """The volume that checkpoints are in; none where the image has the model."""
    match service.spec.cache.type:
        case "PersistentVolumeClaim":
            return [{"name": "models", "persistentVolumeClaim": {"claimName": claim_name(service)}}]
        case "EmptyDir":
            return [{"name": "models", "emptyDir": {"sizeLimit": cache_size(service.spec)}}]
        case "Image":
            return []


def same_node(selector: Mapping[str, str]) -> Manifest:
    """The term of an affinity to the node of the pods that `selector` selects."""
    return {"labelSelector": {"matchLabels": dict(selector)}, "topologyKey": "kubernetes.io/hostname"}
