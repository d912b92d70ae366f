"""The Job that downloads the model into the claim and verifies it, before any pod asks for it.

A failed attempt is repeated by the kubelet with its own backoff (10 s to 5 min), so the Job itself never gives up.
"""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import pod, source
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model import live_claim, wanted_job_name
from whisper_operator.resolve.pod_shape import is_well_formed
from whisper_operator.resolve.preflight.capacity import with_gpu

Part = dict[str, Any]

NEVER_GIVE_UP: Final = 2**31 - 1
HOST: Final = "kubernetes.io/hostname"
HOSTS_NAMED: Final = 100
"""Any of them will do, and a Job must stay small."""
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    name = wanted_job_name(service, observed)
    if name is None:
        return None
    hosts = _gpu_hosts(service, observed, observed.get(JOB, name))
    return child(
        service,
        JOB,
        name,
        component=names.PREFETCH,
        annotations={names.ANNOTATION_GPU_HOSTS: ",".join(hosts)} if hosts else {},
        spec={"backoffLimit": NEVER_GIVE_UP, "template": _template(service, observed, env, hosts)},
    )


def _template(service: WhisperService, observed: Observed, env: Env, hosts: list[str]) -> Part:
    """The template of the pod that fetches the wanted model into the claim."""
    affinity = service.spec.scheduling.affinity or _near_servers(service, observed)
    if hosts:
        affinity = _among(hosts, affinity)
    return {
        "metadata": {
            "labels": names.labels(service.metadata.name, names.PREFETCH),
            "annotations": dict(pod.SCRAPED),
        },
        "spec": {
            **pod.common(service, env),
            **({"affinity": affinity} if affinity else {}),
            **_tolerations(service),
            "restartPolicy": "OnFailure",
            "containers": [pod.fetcher(service, observed, env)],
            "volumes": [pod.scratch(), *pod.models_volume(service), *source.volumes(service)],
        },
    }


def _near_servers(service: WhisperService, observed: Observed) -> Part:
    """The fetch follows the live pods to the node that has the volume; with no pod live, any node will do."""
    if not pod.shares_one_node(service, observed):
        return {}
    preferred = [{"weight": 100, "podAffinityTerm": pod.same_node(service)}]
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _tolerations(service: WhisperService) -> Part:
    """The volume may be on a node that is kept for pods with a GPU, which tolerate its taint by asking for one."""
    gpu, given = service.spec.gpu, list(service.spec.scheduling.tolerations)
    own = [{"key": gpu.resource_name, "operator": "Exists", "effect": "NoSchedule"}] if gpu else []
    return {"tolerations": [*given, *own]} if own else {}


def _gpu_hosts(service: WhisperService, observed: Observed, live: Manifest | None) -> list[str]:
    """The hosts on one of which a volume that binds at its first use has to: those that offer the GPU.

    Decided while the claim has no volume, and kept: a Job's template is fixed, and another one would begin anew. Only
    where none of the hosts offers it any more are others named (docs/adr/0007-where-a-volume-binds.md).
    """
    claim, nodes = live_claim(service, observed), observed.facts.nodes or ()
    spec: Part = {"affinity": service.spec.scheduling.affinity or {}, "containers": []}
    if service.spec.gpu is None or claim is None or not is_well_formed(spec):
        return []
    kept = live["metadata"].get("annotations", {}).get(names.ANNOTATION_GPU_HOSTS) if live else None
    before: list[str] = kept.split(",") if kept else []
    if claim.get("status", {}).get("phase") != "Pending" or not _binds_at_first_use(claim, observed):
        return before
    there = sorted(node.labels[HOST] for node in with_gpu(service, nodes) if HOST in node.labels)[:HOSTS_NAMED]
    return there if there and not set(before) & set(there) else before


def _binds_at_first_use(claim: Manifest, observed: Observed) -> bool:
    classes, name = observed.facts.storage_classes or {}, claim["spec"].get("storageClassName", "")
    return classes.get(name, {}).get("volumeBindingMode") == "WaitForFirstConsumer"


def _among(hosts: list[str], affinity: Part) -> Part:
    """`affinity`, and one of `hosts` beside."""
    by_node: Part = affinity.get("nodeAffinity") or {}
    required: Part = by_node.get(REQUIRED) or {}
    terms: list[Part] = required.get("nodeSelectorTerms") or [{}]
    rule: Part = {"key": HOST, "operator": "In", "values": hosts}
    both = [{**term, "matchExpressions": [*_expressions(term), rule]} for term in terms]
    return {**affinity, "nodeAffinity": {**by_node, REQUIRED: {"nodeSelectorTerms": both}}}


def _expressions(term: Part) -> list[Part]:
    return term.get("matchExpressions") or []
