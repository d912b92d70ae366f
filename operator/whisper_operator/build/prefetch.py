"""The Job that downloads the model into the claim and verifies it, before any pod asks for it.

A failed attempt is repeated by the kubelet with its own backoff (10 s to 5 min), so the Job itself never gives up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import fetch_container, pod, source
from whisper_operator.build.ended_job import KEPT_SECONDS, ended
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import JOB
from whisper_operator.resolve.prefetch import HOST
from whisper_operator.resolve.resolved import Resolved

NEVER_GIVE_UP: Final = 2**31 - 1
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def build(resolved: Resolved) -> Manifest | None:
    name, hosts = resolved.prefetch.job_name, resolved.prefetch.hosts
    if name is None:
        return None
    manifest = child(
        resolved.service,
        JOB,
        name,
        component=names.PREFETCH,
        annotations={names.ANNOTATION_GPU_HOSTS: ",".join(hosts)} if hosts else {},
        spec={
            "backoffLimit": NEVER_GIVE_UP,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": _template(resolved),
        },
    )
    return ended(manifest, resolved.prefetch.job, resolved.prefetch.outlived)


def _template(resolved: Resolved) -> Manifest:
    """The template of the pod that fetches the wanted model into the claim."""
    service, hosts = resolved.service, resolved.prefetch.hosts
    affinity = _near_servers(resolved)
    if hosts:
        affinity = _among(hosts, affinity)
    *before, last = fetch_container.containers(resolved)
    template = {
        "metadata": pod.metadata(service, names.PREFETCH, pod.SCRAPED),
        "spec": {
            **pod.common(service, resolved.installation),
            **({"affinity": affinity} if affinity else {}),
            **_tolerations(service),
            "restartPolicy": "OnFailure",
            **({"initContainers": before} if before else {}),
            "containers": [last],
            "volumes": [pod.scratch(), *pod.models_volume(service), *source.volumes(service)],
        },
    }
    return pod.of_job(template, service, service.spec.prefetch.pod_template)


def _near_servers(resolved: Resolved) -> Manifest:
    """The fetch follows the live pods to the node that has the volume; with no pod live, any node will do."""
    given = resolved.service.spec.scheduling.affinity or {}
    if not resolved.claim.is_on_one_node:
        return given
    preferred = {"weight": 100, "podAffinityTerm": pod.same_node(resolved.pod_selector)}
    return pod.beside(given, "preferredDuringSchedulingIgnoredDuringExecution", preferred)


def _tolerations(service: WhisperService) -> Manifest:
    """The volume may be on a node that is kept for pods with a GPU, which tolerate its taint by asking for one."""
    gpu, given = service.spec.gpu, list(service.spec.scheduling.tolerations)
    own = [{"key": gpu.resource_name, "operator": "Exists", "effect": "NoSchedule"}] if gpu and not gpu.claim else []
    return {"tolerations": [*given, *own]} if own else {}


def _among(hosts: Sequence[str], affinity: Manifest) -> Manifest:
    """`affinity`, and one of `hosts` beside."""
    by_node: Manifest = affinity.get("nodeAffinity") or {}
    required: Manifest = by_node.get(REQUIRED) or {}
    terms: list[Manifest] = required.get("nodeSelectorTerms") or [{}]
    rule: Manifest = {"key": HOST, "operator": "In", "values": list(hosts)}
    both = [{**term, "matchExpressions": [*_expressions(term), rule]} for term in terms]
    return {**affinity, "nodeAffinity": {**by_node, REQUIRED: {"nodeSelectorTerms": both}}}


def _expressions(term: Manifest) -> list[Manifest]:
    return term.get("matchExpressions") or []
