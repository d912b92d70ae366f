"""The parts that the templates of serving, fetching and verifying pods share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from whisper_operator.api.spec.job_store import JobStorageSpec
from whisper_operator.api.spec.model import CacheSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_operator.objects.strategic_merge import overlaid
from whisper_operator.observe.installation import Installation
from whisper_operator.resolve.asked_claim import volume_size
from whisper_operator.resolve.service_account import account_name
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

OF_EVERY_POD: Final = (
    "securityContext",
    "serviceAccountName",
    "serviceAccount",
    "imagePullSecrets",
    "nodeSelector",
    "tolerations",
    "priorityClassName",
    "schedulerName",
    "hostAliases",
    "dnsPolicy",
    "dnsConfig",
)
"""Fields of spec.podTemplate's spec that shape the pods of Jobs too: what a namespace, its policies and its volumes ask
of every pod. Containers, volumes, affinity among servers and GPUs are matters of the pods that serve."""


def metadata(service: WhisperService, component: str, annotations: Mapping[str, str]) -> Manifest:
    """The metadata of a pod of `component`: `annotations` and the operator's labels, beside the spec's own."""
    own = service.spec.pod_metadata
    found = {**annotations, **own.annotations}
    labels = {**own.labels, **names.labels(service.metadata.name, component)}
    return {"labels": labels, **({"annotations": found} if found else {})}


def of_job(template: Manifest, service: WhisperService, own: Manifest | None) -> Manifest:
    """The template of a Job's pod: what spec.podTemplate says of every pod is merged over it, then the Job's `own`."""
    for over in (_of_every_pod(service.spec.pod_template or {}), own):
        template = overlaid(template, over) if over else template
    return template


def _of_every_pod(over: Manifest) -> Manifest:
    metadata, spec = _fields(over, "metadata", ("labels", "annotations")), _fields(over, "spec", OF_EVERY_POD)
    return {**({"metadata": metadata} if metadata else {}), **({"spec": spec} if spec else {})}


def _fields(over: Manifest, name: str, wanted: tuple[str, ...]) -> Manifest:
    """The `wanted` fields of an object in `over`; none where it is no object, for the API server to refuse."""
    found: Any = over.get(name)
    return (
        {key: value for key, value in cast(Manifest, found).items() if key in wanted} if isinstance(found, dict) else {}
    )


def common(service: WhisperService, installation: Installation) -> Manifest:
    """The fields that every pod of a service has in its spec."""
    spec, wanted, fs_group = service.spec, service.spec.scheduling, installation.fs_group
    group = {} if fs_group is None else {"fsGroup": fs_group, "fsGroupChangePolicy": "OnRootMismatch"}
    return {
        "serviceAccountName": account_name(service),
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
    """The volume that checkpoints are in; none where the pods' own image has the model."""
    spec = service.spec
    match spec.cache.type:
        case "Image":
            return []
        case "ImageVolume":
            source = spec.model.source
            image = {"reference": source.image if source else "", "pullPolicy": spec.image.pull_policy}
            return [{"name": "models", "image": image}]
        case _:
            return [claim_or_directory("models", spec.cache, names.models_claim(service.metadata.name))]


def claim_or_directory(name: str, wanted: CacheSpec | JobStorageSpec, own_claim: str) -> Manifest:
    """A volume of the claim that the spec names, else of the service's own, or of a directory of the pod."""
    if wanted.type == "PersistentVolumeClaim":
        return {"name": name, "persistentVolumeClaim": {"claimName": wanted.existing_claim or own_claim}}
    return {"name": name, "emptyDir": {"sizeLimit": volume_size(wanted.size)}}


def same_node(selector: Mapping[str, str]) -> Manifest:
    """The term of an affinity to the node of the pods that `selector` selects."""
    return {"labelSelector": {"matchLabels": dict(selector)}, "topologyKey": "kubernetes.io/hostname"}


def beside(affinity: Manifest | None, rule: str, term: Manifest) -> Manifest:
    """`affinity` with `term` added to `rule`, a list of its podAffinity; one that is malformed stays as it is."""
    by_pod: Any = (affinity or {}).get("podAffinity") or {}
    terms: Any = cast(Manifest, by_pod).get(rule) or [] if isinstance(by_pod, dict) else None
    if not isinstance(terms, list):
        return affinity or {}
    return {**(affinity or {}), "podAffinity": {**by_pod, rule: [*cast(list[Any], terms), term]}}


def probe(path: str, *, period: int, failures: int) -> Manifest:
    """A probe of that path on the port for the cluster; `period`: in seconds."""
    return {
        "httpGet": {"path": path, "port": "metrics", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
