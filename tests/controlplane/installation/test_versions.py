"""The move to the next version of the API, as docs/explanation/versions.md describes it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testbed.cluster import controlplane
from testbed.cluster.controlplane import ControlPlane
from testbed.paths import REPOSITORY
from tests.support.api_objects import ApiObjects
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.optional_apis import with_our_api
from tests.support.services import EMPTY_DIR, patch, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import GROUP, Manifest

pytestmark = pytest.mark.usefixtures("running")

NAME = "whisperservices.whisper-operator.io"
DEFINITION: Manifest = yaml.safe_load((REPOSITORY / "crds/whisperservices.yaml").read_text())
BETA = f"{GROUP}/v1beta1"


def with_beta() -> Manifest:
    """The definition of a release that serves both versions, and stores the new one."""
    both = copy.deepcopy(DEFINITION)
    (alpha,) = both["spec"]["versions"]
    both["spec"]["versions"] = [{**alpha, "storage": False}, {**alpha, "name": "v1beta1"}]
    return both


def define(kubectl: Kubectl, definition: Manifest) -> None:
    arguments = ("--server-side", "--force-conflicts", "--field-manager=release")
    kubectl("apply", *arguments, "-f", "-", stdin=json.dumps(definition))


def stored_versions(kubectl: Kubectl) -> list[str]:
    return (kubectl.get("crd", NAME) or {})["status"]["storedVersions"]


def store_anew(kubectl: Kubectl, version: str) -> None:
    """The procedure of the page."""
    for one in json.loads(kubectl("get", "wsvc", "--all-namespaces", "--output", "json"))["items"]:
        of = one["metadata"]
        kubectl("patch", "wsvc", of["name"], "--namespace", of["namespace"], "--type=merge", "-p", "{}")
    only = json.dumps({"status": {"storedVersions": [version]}})
    kubectl("patch", "crd", NAME, "--subresource=status", "--type=merge", "-p", only)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One of its own: each service there is, other tests' included, would be stored anew four times."""
    with controlplane.running(tmp_path_factory.mktemp("versions"), controllers="*,-job-controller") as found:
        yield found


@pytest.fixture(scope="module")
def kubectl(plane: ControlPlane) -> Kubectl:
    return with_our_api(plane)


@pytest.fixture
def own_kubectl(plane: ControlPlane, kubectl: Kubectl, tmp_path: Path) -> Kubectl:
    """kubectl keeps for hours which versions there are: other tests' must not learn of this one's."""
    return Kubectl((*kubectl.command, "--cache-dir", str(tmp_path)), ApiObjects(plane.kubeconfig))


@pytest.fixture
def both_versions(own_kubectl: Kubectl, namespace: Kubectl) -> Iterator[Kubectl]:
    """A namespace with the service `older`, stored before both versions were served."""
    kubectl = own_kubectl
    namespace.apply(service("older", **EMPTY_DIR))
    define(kubectl, with_beta())
    eventually("the new version is served", lambda: is_served(kubectl))
    yield kubectl.within(namespace.namespace)
    define(kubectl, {**DEFINITION, "spec": {**with_beta()["spec"], "versions": with_alpha_stored()}})
    store_anew(kubectl, "v1alpha1")
    define(kubectl, DEFINITION)
    eventually("the new version is gone", lambda: not is_served(kubectl))


def with_alpha_stored() -> list[Manifest]:
    alpha, beta = with_beta()["spec"]["versions"]
    return [{**alpha, "storage": True}, {**beta, "storage": False}]


def is_served(kubectl: Kubectl) -> bool:
    try:
        kubectl("get", "--raw", f"/apis/{BETA}")
    except KubectlError:
        return False
    return True


def test_the_operator_of_the_old_version_serves_objects_of_both(both_versions: Kubectl) -> None:
    namespace = both_versions
    namespace.apply({**service("newer", **EMPTY_DIR), "apiVersion": BETA})
    for name in ("older", "newer"):
        eventually(f"{name} is judged", lambda name=name: namespace.condition(name, "Available"))
    before = (namespace.get("deployment", "older") or {})["metadata"]["generation"]
    namespace.apply({**service("older", **EMPTY_DIR), "apiVersion": BETA})
    patch(namespace, "older", {"replicas": 2})
    eventually("it is followed", lambda: (namespace.get("deployment", "older") or {})["spec"]["replicas"] == 2)
    assert (namespace.get("deployment", "older") or {})["metadata"]["generation"] == before + 1, "by the replicas alone"


@pytest.mark.usefixtures("both_versions")
def test_an_old_version_goes_once_every_object_is_stored_anew(own_kubectl: Kubectl) -> None:
    kubectl = own_kubectl
    assert stored_versions(kubectl) == ["v1alpha1", "v1beta1"]
    alone = copy.deepcopy(with_beta())
    alone["spec"]["versions"] = alone["spec"]["versions"][1:]
    with pytest.raises(KubectlError, match="storedVersions"):
        define(kubectl, alone)
    store_anew(kubectl, "v1beta1")
    assert stored_versions(kubectl) == ["v1beta1"]
