"""Objects as tests write them."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import desired
from whisper_operator.build.server_pod import wanted_template
from whisper_operator.objects import names
from whisper_operator.observe.facts import Facts, Node, amounts
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_requests import NodeRequests
from whisper_operator.resolve.resolved import Resolved, resolve
from whisper_operator.resolve.rollout import with_rollout

ENV = Installation("runtime:1")
UID = "11111111-2222-3333-4444-555555555555"
NOW = "2026-01-01T00:00:00Z"


def service(status: dict[str, Any] | None = None, **spec: Any) -> WhisperService:
    metadata = {"name": "speech", "namespace": "team", "uid": UID, "generation": 2}
    return WhisperService.parse(
        {"metadata": metadata, "spec": {"model": {"name": "base"}, **spec}, "status": status or {}}
    )


def live(manifest: Manifest, **beside: Any) -> Manifest:
    """`manifest` as the API server gives it back."""
    metadata = {**manifest["metadata"], "uid": f"uid-{manifest['metadata']['name']}", "generation": 1}
    return {**manifest, "metadata": metadata, **beside}


def observed(*bodies: Manifest, **facts: Any) -> Observed:
    """What is there: these objects, and these facts about the cluster."""
    return Observed({(body["kind"], body["metadata"]["name"]): body for body in bodies}, Facts(**facts))


def resolved(
    of: WhisperService,
    there: Observed | None = None,
    installation: Installation = ENV,
    requested: NodeRequests | None = None,
) -> Resolved:
    """Everything that a pass decides over `of`, its rollout included; `requested`: what the cluster's pods request."""
    found = resolve(of, there or Observed(), installation)
    return with_rollout(found, wanted_template(found), requested)


def children(of: WhisperService, there: Observed | None = None, installation: Installation = ENV) -> list[Manifest]:
    """Every child that is wanted where that is there."""
    return desired(resolved(of, there, installation))


def kinds(of: WhisperService, there: Observed | None = None, installation: Installation = ENV) -> list[str]:
    """The kinds of those children."""
    return [body["kind"] for body in children(of, there, installation)]


def claim(of: WhisperService, **spec: Any) -> Manifest:
    manifest = next(one for one in children(of) if one["kind"] == "PersistentVolumeClaim")
    return live({**manifest, "spec": {**manifest["spec"], **spec}}, status={"phase": "Bound"})


def fetched(of: WhisperService, its_claim: Manifest) -> Manifest:
    """The Job that has fetched what `of` wants."""
    there = observed(its_claim)
    name = resolved(of, there).prefetch.job_name
    manifest = next(one for one in children(of, there) if one["metadata"]["name"] == name)
    return live(manifest, status={"conditions": [{"type": "Complete", "status": "True"}]})


def deployment(of: WhisperService, *there: Manifest, **status: Any) -> Manifest:
    """The Deployment as it is wanted, given what is there, with its status."""
    manifest = one(children(of, observed(*there)), "Deployment")
    wanted = manifest["spec"].get("replicas", 1)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted)
    return live(manifest, status={"observedGeneration": 1, **counts, **status})


def node(
    name: str = "node", taints: tuple[Manifest, ...] = (), labels: dict[str, str] | None = None, **allocatable: Any
) -> Node:
    """A node that takes pods; `gpu` stands for nvidia.com/gpu."""
    quantities = {"nvidia.com/gpu" if key == "gpu" else key: value for key, value in allocatable.items()}
    return Node(name, labels or {}, taints, amounts({"cpu": "8", "memory": "64Gi", **quantities}), takes_pods=True)


def container(spec: Manifest, name: str) -> Manifest:
    """The container of that name in a pod's spec, wherever in it."""
    (found,) = (one for one in spec["containers"] if one["name"] == name)
    return found


OWN: Final = {names.SERVER: "server", names.PREFETCH: "fetch", names.VERIFY: "verify", names.FRONT: "front"}
"""The operator's own container of each component's pods."""


def pod(component: str, name: str = "pod", **status: Any) -> Manifest:
    """A pod; a container's status without a name is that of the operator's own container."""
    for field, own in (("containerStatuses", OWN[component]), ("initContainerStatuses", "fetch")):
        if field in status:
            status[field] = [{"name": own, **one} for one in status[field]]
    metadata = {"name": name, "labels": names.labels("speech", component), "uid": name, "creationTimestamp": NOW}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}


def one(manifests: list[Manifest], kind: str, name: str = "speech") -> Manifest:
    return next(body for body in manifests if (body["kind"], body["metadata"]["name"]) == (kind, name))


def rolled_out(of: WhisperService, revision: int = 1, **status: Any) -> Manifest:
    """The Deployment at that revision of its template; all its pods are available where `status` does not say else."""
    body = deployment(of, **status)
    annotations = {**body["metadata"]["annotations"], "deployment.kubernetes.io/revision": str(revision)}
    return {**body, "metadata": {**body["metadata"], "annotations": annotations}}


def jobs(of: WhisperService, *there: Manifest, **facts: Any) -> list[Manifest]:
    return [body for body in children(of, observed(*there, **facts)) if body["kind"] == "Job"]


def verifying(of: WhisperService, deployed: Manifest, condition: str = "") -> Manifest:
    """The Job that verifies that Deployment, with that condition True where one is named."""
    wanted = one(jobs(of, deployed), "Job", resolved(of, observed(deployed)).verification.job_name or "")
    return live(wanted, status={"conditions": [{"type": condition, "status": "True"}] if condition else []})
