"""kubectl as a person uses it, and what tests do again and again, without starting kubectl for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from testbed.cluster import binaries
from testbed.cluster.controlplane import ControlPlane
from tests.support.api_objects import ApiObjects, ObjectPath
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

SERVICE_LABEL = "whisper-operator.io/service"
COMPONENT_LABEL = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Kubectl:
    command: Sequence[str]
    objects: ApiObjects
    namespace: str = "default"
    user: str | None = None
    """Whom it impersonates where it writes; None: nobody."""

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard output; raises KubectlError, whose text has the API server's answer."""
        done = subprocess.run(
            (*self.command, *arguments), input=stdin, capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise KubectlError(done.returncode, done.args, done.stdout, done.stderr)
        return done.stdout

    def within(self, namespace: str) -> Kubectl:
        return replace(self, command=(*self.command, "--namespace", namespace), namespace=namespace)

    def acting_as(self, user: str) -> Kubectl:
        """The same in the name of `user`, who need not be allowed to read what a test looks at."""
        return replace(self, command=(*self.command, "--as", user), user=user)

    def apply(self, *manifests: Manifest) -> None:
        """kubectl itself is started only for what is there already, or is refused: it says why."""
        left = [one for one in manifests if not self.objects.create(one, self.namespace, self.user)]
        if left:
            self("apply", "-f", "-", stdin=yaml.safe_dump_all(left))

    def patch(self, kind: str, name: str, change: Manifest, subresource: str = "") -> None:
        """A merge patch; raises KubectlError, as kubectl does, where it is refused."""
        if not self.objects.patch(ObjectPath(kind, self.namespace, name, subresource), change, self.user):
            status = (f"--subresource={subresource}",) if subresource else ()
            self("patch", kind, name, *status, "--type=merge", "-p", json.dumps(change))

    def annotate(self, kind: str, name: str, **annotations: object) -> None:
        """Sets annotations of example.com."""
        named = {f"example.com/{key}": str(value) for key, value in annotations.items()}
        self.patch(kind, name, {"metadata": {"annotations": named}})

    def get(self, kind: str, name: str) -> Manifest | None:
        """The object without its managed fields; None where there is none of that name."""
        found = self.objects.get(kind, self.namespace, name)
        return _without_managers(found) if found else None

    def get_with_managers(self, kind: str, name: str) -> Manifest:
        found = self.objects.get(kind, self.namespace, name)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def list(self, kinds: str, selector: str = "") -> list[Manifest]:
        """The namespace's objects of the kinds, which commas separate, without their managed fields."""
        return [_without_managers(one) for one in self.objects.list(kinds, self.namespace, selector)]

    def pods_of(self, service: str, component: str = "server") -> list[Manifest]:
        """The service's pods of that component; those that start, leave or have ended included."""
        return self.list("pods", f"{SERVICE_LABEL}={service},{COMPONENT_LABEL}={component}")

    def is_carried_out(self, service: str) -> bool:
        """Whether the service is Ready, and nothing of its spec's newest generation is still to be done."""
        body = self.get("wsvc", service) or {"metadata": {}}
        status = body.get("status", {})
        true = {one["type"] for one in status.get("conditions", ()) if one["status"] == "True"}
        is_seen = status.get("observedGeneration", 0) == body["metadata"].get("generation")
        return is_seen and "Ready" in true and not true & {"Reconciling", "Stalled"}

    def wait_ready(self, service: str, seconds: int = 300) -> None:
        """Waits until the service is Ready, with its spec carried out."""
        eventually(f"{service} is as its spec asks for", lambda: self.is_carried_out(service), seconds)

    def condition(self, service: str, kind: str) -> dict[str, Any]:
        """The service's condition of that type; empty when it has none."""
        conditions = ((self.get("wsvc", service) or {}).get("status") or {}).get("conditions", [])
        return next((condition for condition in conditions if condition["type"] == kind), {})

    def settled_status(self, service: str) -> dict[str, Any] | None:
        """The service's status once it is Ready as specified and no other model is wanted; None until then."""
        body = self.get("wsvc", service)
        assert body is not None
        status, ready = body.get("status", {}), self.condition(service, "Ready")
        is_settled = (
            status.get("observedGeneration") == body["metadata"]["generation"]
            and "wanted" not in status["model"]
            and (ready.get("status"), ready.get("reason")) == ("True", "AsSpecified")
        )
        return status if is_settled else None

    def address(self, service: str) -> str:
        """The Service's cluster IP, which kube-proxy answers on the node itself."""
        found = self.get("service", service)
        assert found is not None
        return f"http://{found['spec']['clusterIP']}"


def kubectl_on(plane: ControlPlane) -> Kubectl:
    return kubectl_of(plane.kubeconfig)


def kubectl_of(kubeconfig: Path) -> Kubectl:
    command = (str(binaries.ensure("kubectl") / "kubectl"), "--kubeconfig", str(kubeconfig))
    return Kubectl(command, ApiObjects(kubeconfig))


def _without_managers(body: Manifest) -> Manifest:
    return {**body, "metadata": {name: of for name, of in body["metadata"].items() if name != "managedFields"}}


class KubectlError(subprocess.CalledProcessError):
    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.stdout}{self.stderr}"
