"""WhisperServices as users write them, and the Job controller's part where no node runs Jobs."""

from __future__ import annotations

from typing import Any

from testbed.inputs import CHECKPOINTS
from tests.support.kubectl import Kubectl
from tests.support.kubelet import end_job
from tests.support.waiting import awaited
from whisper_operator.api.v1alpha1 import Manifest

BASE = {"apiVersion": "whisper-operator.io/v1alpha1", "kind": "WhisperService"}
EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
"""No claim and no fetch: the Deployment is created at once."""
IMAGE_VOLUME = {
    "model": {"name": "mine", "source": {"url": "oci://r.example.com/team/m:v1", "sha256": "a" * 64}},
    "cache": {"type": "ImageVolume"},
}
"""A model in an image that the node mounts."""
MIRROR = "http://models.whisper-models.svc.cluster.local"
"""The cluster's own mirror of models, which `python3 -m testbed.demo platform` starts."""


def service(name: str, **spec: Any) -> Manifest:
    return {**BASE, "metadata": {"name": name}, "spec": {"model": {"name": "base"}, **spec}}


def mirrored_service(name: str, model_name: str = "tiny.en", **spec: Any) -> Manifest:
    """A service whose model comes from the cluster's own mirror, as an air-gapped site writes it."""
    return service(name, **{"model": mirrored_model(model_name), **spec})


def mirrored_model(name: str) -> dict[str, Any]:
    """`spec.model` from the cluster's own mirror."""
    return {"name": name, "source": {"url": f"{MIRROR}/{name}.pt", "sha256": CHECKPOINTS[name]}}


def job(namespace: Kubectl, name: str) -> Manifest | None:
    jobs = namespace.list("jobs", f"whisper-operator.io/service={name}")
    return jobs[0] if jobs else None


def fetch_job(namespace: Kubectl, name: str = "speech") -> Manifest:
    """The Job that fetches the service's model, as soon as there is one: a change of the spec replaces it."""
    return awaited("the fetch is asked for", lambda: job(namespace, name))


def fetch_job_after(namespace: Kubectl, first: Manifest, name: str = "speech") -> Manifest:
    """The Job that has replaced the `first` one, as soon as there is one."""

    def another() -> Manifest | None:
        found = job(namespace, name)
        return found if found and found["metadata"]["uid"] != first["metadata"]["uid"] else None

    return awaited("another fetch is asked for", another)


def complete_fetch(namespace: Kubectl, name: str) -> None:
    """Writes the status that the Job controller writes when the fetching pod has succeeded."""
    end_job(namespace, fetch_job(namespace, name)["metadata"]["name"], "Complete")


def bind(namespace: Kubectl, claim: str) -> None:
    """Gives the claim a volume, as an administrator may who provisions by hand."""
    found = awaited("the claim is there", lambda: namespace.get("pvc", claim))
    spec = {
        "accessModes": found["spec"]["accessModes"],
        "capacity": found["spec"]["resources"]["requests"],
        "storageClassName": found["spec"]["storageClassName"],
        "claimRef": {"namespace": namespace.namespace, "name": claim},
        "hostPath": {"path": f"/nowhere/{namespace.namespace}/{claim}"},
    }
    name = f"{namespace.namespace}-{claim}"
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    namespace.apply(volume)
    namespace("wait", "--for=jsonpath={.status.phase}=Bound", f"pvc/{claim}", "--timeout=60s")


def patch(namespace: Kubectl, name: str, spec: dict[str, Any]) -> None:
    """A merge patch of the service's spec; None removes a field."""
    namespace.patch("wsvc", name, {"spec": spec})


def reason(namespace: Kubectl, name: str, kind: str) -> str:
    """Reason of the service's condition of that type; empty when it has no such condition."""
    return namespace.condition(name, kind).get("reason", "")


def port_of(kubectl: Kubectl) -> int:
    """The clients' port of the Service `speech`."""
    return (kubectl.get("service", "speech") or {})["spec"]["ports"][0]["port"]


def min_ready(kubectl: Kubectl) -> int:
    """`minReadySeconds` of the Deployment `speech`."""
    return (kubectl.get("deployment", "speech") or {})["spec"]["minReadySeconds"]
