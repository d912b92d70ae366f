"""The installation's defaults complete specs, and a change of them replaces no pods of services that are there."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

CLASS = {"labels": {"whisper-operator.io/class": "with-defaults"}}
BEFORE = {
    "imagePullSecrets": [{"name": "before"}],
    "gpu": {"nodeSelector": {"pool": "gpu"}},
    "ingressClassName": "public",
    "podMetadata": {"labels": {"team": "before"}},
}
AFTER = {"imagePullSecrets": [{"name": "after"}], "podMetadata": {"labels": {"team": "after"}}}


@contextmanager
def operator(plane: ControlPlane, defaults: Manifest) -> Generator[None]:
    """An operator of a class of its own, with those defaults."""
    settings = {"SERVICE_CLASS": "with-defaults", "LEASE_NAME": "with-defaults", "DEFAULTS": json.dumps(defaults)}
    found = OperatorProcess(plane, identity="with-defaults", settings=settings)
    found.start()
    yield
    found.stop()


def of_class(name: str, **spec: Any) -> Manifest:
    body = service(name, **EMPTY_DIR, **spec)
    return {**body, "metadata": {**body["metadata"], **CLASS}}


def template(namespace: Kubectl, name: str) -> Manifest:
    found = namespace.get("deployment", name)
    return found["spec"]["template"] if found else {}


def pull_secret(namespace: Kubectl, name: str) -> str | None:
    secrets = template(namespace, name).get("spec", {}).get("imagePullSecrets", [])
    return secrets[0]["name"] if secrets else None


def replicas(namespace: Kubectl, name: str) -> int | None:
    return (namespace.get("deployment", name) or {}).get("spec", {}).get("replicas")


def test_a_changed_default_reaches_new_services_and_changed_specs_alone(
    plane: ControlPlane, namespace: Kubectl
) -> None:
    with operator(plane, BEFORE):
        namespace.apply(
            of_class("speech", ingress={"host": f"{namespace.namespace}.example.com"}, gpu={}),
            of_class("own", image={"pullSecrets": [{"name": "own"}]}),
        )
        eventually("the default is there", lambda: pull_secret(namespace, "speech") == "before")
        eventually("the spec's own is there", lambda: pull_secret(namespace, "own") == "own")
        eventually("it has an Ingress", lambda: namespace.get("ingress", "speech"))
        eventually("the defaults are recorded", lambda: recorded(namespace, "speech") == BEFORE)
    before = template(namespace, "speech")
    assert before["metadata"]["labels"]["team"] == "before"
    assert before["spec"]["nodeSelector"] == {"pool": "gpu"}
    assert "nodeSelector" not in template(namespace, "own")["spec"], "it has no GPU"
    ingress = namespace.get("ingress", "speech")
    assert ingress is not None
    assert ingress["spec"]["ingressClassName"] == "public"
    with operator(plane, AFTER):
        namespace.apply(of_class("new"))
        eventually("a new one has today's", lambda: pull_secret(namespace, "new") == "after")
        namespace("scale", "wsvc", "speech", "--replicas=2")
        eventually("it is scaled", lambda: replicas(namespace, "speech") == 2)
        assert template(namespace, "speech") == before
        patch(namespace, "speech", {"language": "en"})
        eventually("its spec has changed", lambda: pull_secret(namespace, "speech") == "after")
        eventually("that is recorded", lambda: recorded(namespace, "speech") == AFTER)


def recorded(namespace: Kubectl, name: str) -> Manifest:
    accepted = (namespace.get("wsvc", name) or {}).get("status", {}).get("accepted", {})
    return json.loads(accepted.get("defaults", "{}"))
