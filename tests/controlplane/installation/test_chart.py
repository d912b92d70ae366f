"""The chart on a real API server, by real helm: installed, twice, under other names, upgraded, uninstalled, moved."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cluster import binaries, controlplane
from testbed.cluster.controlplane import ControlPlane
from testbed.images import previous
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from tests.support.kubectl import Kubectl, KubectlError, kubectl_on
from tests.support.waiting import eventually

CHART = REPOSITORY / "charts/whisper-operator"
CRD = "whisperservices.whisper-operator.io"
CRDS = REPOSITORY / "crds"
OWNER = "meta.helm.sh/release-name"
WITHOUT_ADMISSION = ("--set", "policy.admission=false")
"""For tests of the API and its owner: the API server takes seconds to compile the admission policy, at each write."""


@dataclass(frozen=True)
class Helm:
    """helm on the control plane, and kubectl beside it."""

    plane: ControlPlane
    kubectl: Kubectl

    def __call__(self, *arguments: str) -> str:
        """Standard output; raises CalledProcessError, whose text has what helm says."""
        program = str(binaries.ensure("helm") / "helm")
        command = (program, "--kubeconfig", str(self.plane.kubeconfig), *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def install(self, release: str, namespace: str, *settings: str, chart: Path = CHART) -> str:
        return self("install", release, str(chart), "--namespace", namespace, "--create-namespace", *settings)

    def upgrade(self, release: str, namespace: str, *settings: str, chart: Path = CHART) -> str:
        return self("upgrade", release, str(chart), "--namespace", namespace, *settings)

    def uninstall(self, release: str, namespace: str) -> str:
        return self("uninstall", release, "--namespace", namespace)

    def releases(self) -> list[dict[str, Any]]:
        return yaml.safe_load(self("list", "--all-namespaces", "--output", "json"))

    def crd(self) -> dict[str, Any]:
        found = self.kubectl.get("crd", CRD)
        assert found is not None
        return found

    def crd_owner(self) -> str | None:
        """The release that upgrades the CustomResourceDefinition; None: none does."""
        return (self.crd()["metadata"].get("annotations") or {}).get(OWNER)

    def knows(self, field: str) -> bool:
        """Whether the API has this field of `spec`."""
        schema = self.crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        return field in schema["properties"]["spec"]["properties"]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of this module's own: the others' have the CustomResourceDefinition."""
    with controlplane.running(tmp_path_factory.mktemp("chart"), controllers="*,-job-controller") as found:
        yield found


@pytest.fixture
def helm(plane: ControlPlane) -> Iterator[Helm]:
    """helm on a cluster without any release, and without the CustomResourceDefinition."""
    found = Helm(plane, kubectl_on(plane))
    yield found
    for release in found.releases():
        found.uninstall(release["name"], release["namespace"])
    found.kubectl("delete", "crd", CRD, "--ignore-not-found")


def chart_with(tmp_path: Path, field: str) -> Path:
    """The next version of the chart, whose API has one more field."""
    found = tmp_path / f"with-{field}"
    shutil.copytree(CHART, found)
    crd = next_crd(field)
    (found / "files/whisperservices.yaml").write_text(yaml.safe_dump(crd))
    return found


def generated_crd() -> dict[str, Any]:
    return yaml.safe_load((CRDS / "whisperservices.yaml").read_text())


def next_crd(field: str) -> dict[str, Any]:
    """That of the next version, which has one more field."""
    crd = generated_crd()
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"][field] = {"type": "boolean"}
    return crd


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("--set", "watchNamespaces={default}"),
        ("--set", "networkPolicy.enabled=true,serviceClass=canary,fsGroup=null,resources=null"),
    ],
)
def test_every_object_is_accepted(helm: Helm, settings: tuple[str, ...]) -> None:
    helm.install("release", "system", *settings)
    assert helm.kubectl("get", "-n", "system", "deployment", "release-whisper-operator")


def test_the_api_server_keeps_the_api_as_it_is_written(helm: Helm) -> None:
    """Else two writers of the same version conflict, and Argo CD shows a difference for ever."""
    helm.kubectl("apply", "--server-side", "-f", str(CRDS))
    assert helm.crd()["spec"]["versions"] == generated_crd()["spec"]["versions"]
    helm.kubectl("apply", "--server-side", "--field-manager=another", "-f", str(CRDS))


def test_a_second_installation_has_another_namespace_or_name(helm: Helm) -> None:
    """Of the same name elsewhere, and of another name beside it; each may watch the same namespaces."""
    helm.kubectl("create", "namespace", "tenant")
    helm.install("whisper-operator", "one")
    helm.install("whisper-operator", "two")
    helm.install("other", "one")
    helm.install("whisper-operator", "three", "--set", "watchNamespaces={tenant}")
    helm.install("whisper-operator", "four", "--set", "watchNamespaces={tenant}")
    assert helm.crd_owner() == "whisper-operator"
    for name, namespace in (("whisper-operator", "one"), ("other", "one"), ("whisper-operator", "two")):
        helm.upgrade(name, namespace, *WITHOUT_ADMISSION)
    helm.kubectl("delete", "namespace", "tenant", "--wait=false")


def test_two_releases_in_one_namespace_lead_each_by_a_lease_of_its_own(helm: Helm) -> None:
    """As the operator of a canary beside the cluster's; by the rights that the chart gives to either."""
    found = [leading(helm, release) for release in ("first", "second")]
    try:
        for operator in found:
            operator.start()
        leases = [operator.settings["LEASE_NAME"] for operator in found]
        eventually("each leads", lambda: [holder(helm, name) for name in leases] == ["first", "second"])
    finally:
        for operator in found:
            operator.stop()


def leading(helm: Helm, release: str) -> OperatorProcess:
    """The operator of an installed release, as a process with the account and the settings of its Deployment."""
    helm.install(release, "system", *WITHOUT_ADMISSION)
    system = helm.kubectl.within("system")
    (pod,) = (
        one["spec"]["template"]["spec"] for one in system.list("deployments", f"app.kubernetes.io/instance={release}")
    )
    (container,) = pod["containers"]
    given = {one["name"].removeprefix("WHISPER_OPERATOR_"): one.get("value", "") for one in container["env"]}
    settings = {name: given[name] for name in ("LEASE_NAME", "SERVICE_CLASS") if name in given}
    token = system("create", "token", pod["serviceAccountName"]).strip()
    return OperatorProcess(helm.plane, identity=release, token=token, settings={"NAMESPACE": "system", **settings})


def holder(helm: Helm, lease: str) -> str | None:
    return (helm.kubectl.within("system").get("lease", lease) or {"spec": {}})["spec"].get("holderIdentity")


def test_an_upgrade_upgrades_the_api(helm: Helm, tmp_path: Path) -> None:
    helm.install("whisper-operator", "system", *WITHOUT_ADMISSION)
    helm.upgrade("whisper-operator", "system", *WITHOUT_ADMISSION, chart=chart_with(tmp_path, "novelty"))
    assert helm.knows("novelty")


def test_the_previous_release_is_upgraded(helm: Helm) -> None:
    """By the chart alone, which has installed the API; as docs/upgrading.md says."""
    helm.install("whisper-operator", "system", chart=previous.checked_out() / "charts/whisper-operator")
    helm.upgrade("whisper-operator", "system")
    assert helm.crd()["spec"]["versions"] == generated_crd()["spec"]["versions"]


def test_a_release_of_another_leaves_the_api_alone_and_says_so(helm: Helm, tmp_path: Path) -> None:
    helm.install("first", "one", *WITHOUT_ADMISSION)
    said = helm.install("second", "two", *WITHOUT_ADMISSION, chart=chart_with(tmp_path, "novelty"))
    assert not helm.knows("novelty")
    assert "kubectl apply --server-side --force-conflicts -f crds/" in said
    assert "force-conflicts" not in helm.upgrade("first", "one", *WITHOUT_ADMISSION), "its own release upgrades it"


@pytest.mark.parametrize("how", [("--server-side",), ()])
def test_the_api_is_there_before_the_chart(helm: Helm, tmp_path: Path, how: tuple[str, ...]) -> None:
    helm.kubectl("apply", *how, "-f", str(CRDS))
    helm.install("whisper-operator", "system", *WITHOUT_ADMISSION)
    helm.upgrade("whisper-operator", "system", *WITHOUT_ADMISSION)
    assert helm.crd_owner() is None
    crd = tmp_path / "crd.yaml"
    crd.write_text(yaml.safe_dump(next_crd("novelty")))
    helm.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(crd))
    helm.upgrade("whisper-operator", "system", *WITHOUT_ADMISSION)
    assert helm.knows("novelty"), "kubectl upgrades what kubectl has made"


@pytest.mark.parametrize("how", [("--server-side", "--force-conflicts"), ()])
def test_the_api_is_applied_after_the_chart(helm: Helm, tmp_path: Path, how: tuple[str, ...]) -> None:
    """Of the next version, as it may be before an upgrade; the upgrade follows, of that version or of one between."""
    helm.install("whisper-operator", "system", *WITHOUT_ADMISSION)
    crd = tmp_path / "crd.yaml"
    crd.write_text(yaml.safe_dump(next_crd("novelty")))
    helm.kubectl("apply", *how, "-f", str(crd))
    assert helm.knows("novelty")
    helm.upgrade("whisper-operator", "system", *WITHOUT_ADMISSION, chart=chart_with(tmp_path, "novelty"))
    assert helm.knows("novelty")


def test_the_api_is_handed_over_to_a_release(helm: Helm, tmp_path: Path) -> None:
    """As docs/upgrading.md says it, for what kubectl or a release that is gone has made."""
    helm.kubectl("apply", "--server-side", "-f", str(CRDS))
    helm.install("whisper-operator", "system", *WITHOUT_ADMISSION)
    helm.kubectl("label", "crd", CRD, "app.kubernetes.io/managed-by=Helm", "--overwrite")
    names = ("meta.helm.sh/release-name=whisper-operator", "meta.helm.sh/release-namespace=system")
    helm.kubectl("annotate", "crd", CRD, "--overwrite", *names)
    helm.upgrade(
        "whisper-operator", "system", *WITHOUT_ADMISSION, "--force-conflicts", chart=chart_with(tmp_path, "novelty")
    )
    assert helm.knows("novelty")


@pytest.mark.parametrize(("release", "namespace"), [("whisper-operator", "system"), ("other", "elsewhere")])
def test_uninstalled_and_installed_again(helm: Helm, release: str, namespace: str) -> None:
    """Under the same name and namespace, or others: the API, and with it every service, stays."""
    helm.install("whisper-operator", "system")
    service = {
        "apiVersion": "whisper-operator.io/v1alpha1",
        "kind": "WhisperService",
        "metadata": {"name": "speech", "namespace": "default"},
        "spec": {"model": {"name": "base"}},
    }
    eventually("the API is served", lambda: is_served(helm), 30)
    helm.kubectl.apply(service)
    helm.uninstall("whisper-operator", "system")
    assert helm.kubectl.get("wsvc", "speech")
    assert not helm.kubectl("get", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/part-of", "-o", "name")
    helm.install(release, namespace)
    helm.upgrade(release, namespace)


def is_served(helm: Helm) -> bool:
    try:
        helm.kubectl("get", "wsvc", "-A")
    except KubectlError:
        return False
    return True


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_an_umbrella_chart_holds_it_by_a_condition(helm: Helm, tmp_path: Path, enabled: str) -> None:
    umbrella = tmp_path / "platform"
    shutil.copytree(CHART, umbrella / "charts/whisper-operator")
    dependency = {"name": "whisper-operator", "version": "0.1.0", "condition": "whisper-operator.enabled"}
    chart = {"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [dependency]}
    (umbrella / "Chart.yaml").write_text(yaml.safe_dump(chart))
    settings = ("--set", f"whisper-operator.enabled={enabled}", "--set", "whisper-operator.policy.admission=false")
    helm.install("platform", "apps", *settings, chart=umbrella)
    helm.upgrade("platform", "apps", *settings, chart=umbrella)
    there = helm.kubectl("get", "deployment", "-n", "apps", "-o", "name")
    assert there == ("deployment.apps/platform-whisper-operator\n" if enabled == "true" else "")


@pytest.mark.parametrize(
    ("role", "verbs"),
    [
        ("view", {"get", "list", "watch"}),
        ("edit", {"get", "list", "watch", "create", "update", "patch", "delete"}),
        ("admin", {"get", "list", "watch", "create", "update", "patch", "delete"}),
    ],
)
def test_who_may_view_or_edit_a_namespace_may_do_so_with_its_services(helm: Helm, role: str, verbs: set[str]) -> None:
    helm.install("whisper-operator", "system", *WITHOUT_ADMISSION)
    user = f"{role}-of-the-team"
    helm.kubectl("create", "rolebinding", user, f"--clusterrole={role}", f"--user={user}")
    eventually("the rules are aggregated", lambda: may(helm, user, "get"), 30)
    asked = ("get", "list", "watch", "create", "update", "patch", "delete")
    assert {verb for verb in asked if may(helm, user, verb)} == verbs
    assert may(helm, user, "patch", "--subresource=scale") == ("patch" in verbs)
    assert not may(helm, user, "patch", "--subresource=status")
    helm.kubectl("delete", "rolebinding", user)


def may(helm: Helm, user: str, verb: str, *more: str) -> bool:
    command = (*helm.kubectl.command, "auth", "can-i", verb, "whisperservices.whisper-operator.io", "--as", user, *more)
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == "yes"
