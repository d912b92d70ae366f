"""`CLUSTER=kubeconfig make demo` on an API server that is not its own: what it makes there, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.cluster import binaries, controlplane
from testbed.cluster.controlplane import ControlPlane
from testbed.demo import delivery, steps, user_cluster
from testbed.demo.choice import UserContext, current_context
from testbed.demo.steps import DemoStepFailed
from tests.support.kubectl import Kubectl


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOGS", tmp_path)
    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path))


def context_of(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> UserContext:
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    found = current_context(str(binaries.ensure("kubectl") / "kubectl"))
    assert found is not None
    assert str(plane.port) in found.server
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server that has never heard of our API."""
    with controlplane.running(tmp_path_factory.mktemp("bare"), controllers="*") as running:
        yield running


def test_an_operator_that_is_there_is_used_as_it_is(
    plane: ControlPlane, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No image has to come, and no chart is installed; a second demo finds its namespace."""
    context = context_of(plane, monkeypatch)
    assert user_cluster.has_operator(context)
    user_cluster.prepare(context, "")
    user_cluster.prepare(context, "")
    namespace = kubectl.get("namespaces", user_cluster.NAMESPACE)
    assert namespace is not None
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert kubectl.get("namespaces", user_cluster.OPERATOR_NAMESPACE) is None
    kubectl("delete", "namespace", user_cluster.NAMESPACE, "--wait=false")


def test_without_a_way_for_the_images_nothing_is_made(bare: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    context = context_of(bare, monkeypatch)
    assert not user_cluster.has_operator(context)
    with pytest.raises(DemoStepFailed, match="REGISTRY=REGISTRY make demo"):
        user_cluster.prepare(context, "")
    names = steps.run(steps.DemoStep("names", context.command("get", "namespaces", "-o", "name"), ""))
    assert "whisper" not in names


def test_an_installation_that_fails_says_how_to_remove_what_it_left(
    bare: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The next demo would take the definition for that of somebody's operator."""
    (tmp_path / "helm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    context = context_of(bare, monkeypatch)
    with pytest.raises(DemoStepFailed, match=f"uninstall whisper-operator && .* delete crd {user_cluster.CRD}"):
        user_cluster.prepare(context, "registry.example.com/team")


def test_the_chart_is_given_the_images_of_the_registry() -> None:
    """As far as helm goes without a cluster; tests/e2e installs the chart on one."""
    context = UserContext("work", "https://work.example.com", "/bin/kubectl")
    given = delivery.delivery(context.name, "registry.example.com/team", "9.9.9", lambda _: None)
    helm, action, *rest = user_cluster.helm_install(context, given, str(binaries.ensure("helm") / "helm"))
    assert action == "install"
    assert tuple(rest[2:4]) == ("--kube-context", "work")
    manifest = steps.run(steps.DemoStep("chart", (helm, "template", *rest), ""))
    assert "registry.example.com/team/whisper-operator:9.9.9" in manifest
    assert "registry.example.com/team/whisper-runtime:9.9.9" in manifest


def test_how_to_remove_it_names_what_the_demo_made() -> None:
    context = UserContext("work", "https://work.example.com", "/bin/kubectl")
    assert "delete crd" in user_cluster.farewell(context, installed=True)
    kept = user_cluster.farewell(context, installed=False)
    assert "kubectl --context work delete namespace whisper-demo" in kept
    assert "helm" not in kept
