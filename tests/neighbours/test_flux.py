"""Flux applies what a git repository has: it waits for a service, takes edits back, and prunes no data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testbed.cluster import crds
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from tests.support import flux, git_server, optional_apis
from tests.support.git_server import GitServer
from tests.support.kubectl import Kubectl
from tests.support.kubelet import SERVER, start_pods
from tests.support.services import complete_fetch, job
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

EXAMPLE = REPOSITORY / "examples/gitops"
FILES = {str(file.relative_to(EXAMPLE)): file.read_text() for file in sorted(EXAMPLE.rglob("*.yaml"))}
STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/none",
}
MEETINGS, LIST = "services/meetings.yaml", "services/kustomization.yaml"
NOTHING = yaml.safe_dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": []})


@pytest.fixture(scope="module")
def system(
    plane: ControlPlane, namespace: Kubectl, running: OperatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubectl]:
    """kubectl in the namespace of Flux, which runs, in a cluster that has volumes."""
    namespace.apply(STORAGE_CLASS)
    optional_apis.install(namespace, [file for source in crds.FLUX for file in crds.ensure(source)])
    namespace("create", "namespace", flux.NAMESPACE)
    with flux.running(plane, tmp_path_factory.mktemp("artifacts")):
        yield namespace.within(flux.NAMESPACE)
    namespace("delete", "storageclass", "standard")


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    with git_server.serving(tmp_path) as found:
        yield found


@pytest.fixture
def speech(system: Kubectl, git: GitServer) -> Iterator[Kubectl]:
    """The example as it is written, but for the repository's URL; kubectl in the namespace that it fills."""
    system("create", "namespace", "speech")
    git.push(FILES)
    source, kustomization = yaml.safe_load_all(FILES["flux.yaml"])
    source["spec"]["url"] = git.url
    system.apply(source, kustomization)
    yield system.within("speech")
    system("delete", "kustomization,gitrepository", "speech")
    system("delete", "namespace", "speech")


@pytest.fixture
def healthy(speech: Kubectl, system: Kubectl) -> Kubectl:
    """Given an example that is carried out."""
    serve(speech)
    eventually("Flux is content", lambda: is_ready(system), seconds=120)
    return speech


def serve(speech: Kubectl) -> None:
    """Plays the Job controller and the kubelet, for the service that there is now."""
    eventually("the fetch is asked for", lambda: owner(job(speech, "meetings")) == uid(speech))
    complete_fetch(speech, "meetings")
    eventually("there is a pod", lambda: speech.list("pods", SERVER))
    start_pods(speech)


def owner(body: Manifest | None) -> str:
    """UID of the one owner; empty where there is no object."""
    return body["metadata"]["ownerReferences"][0]["uid"] if body else ""


def uid(speech: Kubectl) -> str | None:
    """The service's; None while there is none."""
    body = speech.get("wsvc", "meetings")
    return body["metadata"]["uid"] if body else None


def ready(system: Kubectl) -> dict[str, str]:
    return flux.condition(system, "kustomization", "speech", "Ready")


def is_ready(system: Kubectl) -> bool:
    return ready(system).get("status") == "True"


def reconcile(system: Kubectl) -> None:
    """As `flux reconcile kustomization`; returns when it has."""
    flux.ask(system, "kustomization", "speech")
    eventually("it is reconciled", lambda: flux.has_handled_its_request(system, "kustomization", "speech"), seconds=120)


def commit(system: Kubectl, git: GitServer, files: dict[str, str]) -> str:
    """Pushes the files, and has Flux look for them; the commit's hash."""
    found = git.push(files)
    flux.ask(system, "gitrepository", "speech")
    return found


def test_flux_is_ready_no_sooner_than_the_service(speech: Kubectl, system: Kubectl) -> None:
    def waits() -> bool:
        told = flux.condition(system, "kustomization", "speech", "Reconciling")
        return "Running health checks" in told.get("message", "")

    eventually("Flux waits", waits)
    complete_fetch(speech, "meetings")
    eventually("there is a pod", lambda: speech.list("pods", SERVER))
    eventually("the service waits", lambda: speech.condition("meetings", "Reconciling").get("reason") == "RollingOut")
    assert waits()
    assert ready(system)["status"] == "Unknown"
    start_pods(speech)
    eventually("Flux is content", lambda: is_ready(system), seconds=120)
    assert speech.is_carried_out("meetings")


def test_a_service_that_is_stalled_fails_at_once_and_is_healed_by_a_commit(
    healthy: Kubectl, system: Kubectl, git: GitServer
) -> None:
    """At once: the example's time-out is half an hour."""
    body = yaml.safe_load(FILES[MEETINGS])
    body["spec"]["auth"] = {"secretRef": {"name": "keys"}}
    commit(system, git, {**FILES, MEETINGS: yaml.safe_dump(body)})
    eventually("Flux says so", lambda: ready(system).get("reason") == "HealthCheckFailed", seconds=120)
    assert "WhisperService/speech/meetings status: 'Failed'" in ready(system)["message"]
    assert healthy.condition("meetings", "Ready")["status"] == "True", "the pods of before serve"
    commit(system, git, FILES)
    eventually("Flux is content", lambda: is_ready(system), seconds=120)


def test_what_is_reconciled_again_changes_nothing(healthy: Kubectl, system: Kubectl) -> None:
    before = healthy.get("wsvc", "meetings") or {}
    reconcile(system)
    assert is_ready(system)
    assert healthy.get("wsvc", "meetings") == before


def test_an_edit_in_the_cluster_is_taken_back(healthy: Kubectl, system: Kubectl) -> None:
    """By which the claim would have gone with its service."""
    assert not is_owned(healthy)
    healthy("patch", "wsvc", "meetings", "--type=merge", "-p", '{"spec": {"cache": {"retention": "Delete"}}}')
    eventually("the edit is followed", lambda: is_owned(healthy))
    reconcile(system)
    assert (healthy.get("wsvc", "meetings") or {})["spec"]["cache"]["retention"] == "Retain"
    eventually("git is followed again", lambda: not is_owned(healthy))


def is_owned(speech: Kubectl) -> bool:
    """Whether the claim has an owner."""
    return "ownerReferences" in (speech.get("pvc", "meetings-models") or {})["metadata"]


def test_a_service_that_was_deleted_in_the_cluster_comes_back_to_its_model(healthy: Kubectl, system: Kubectl) -> None:
    before, claim = uid(healthy), (healthy.get("pvc", "meetings-models") or {})["metadata"]["uid"]
    healthy("delete", "wsvc", "meetings")
    eventually("its pods are gone", lambda: healthy.list("pods", SERVER) == [])
    flux.ask(system, "kustomization", "speech")
    eventually("another one is made", lambda: uid(healthy) not in (None, before))
    serve(healthy)
    eventually("Flux is content", lambda: is_ready(system) and healthy.is_carried_out("meetings"), seconds=120)
    assert (healthy.get("pvc", "meetings-models") or {})["metadata"]["uid"] == claim


def test_what_git_has_no_more_is_pruned_and_its_retained_claim_is_not(
    healthy: Kubectl, system: Kubectl, git: GitServer
) -> None:
    claim = (healthy.get("pvc", "meetings-models") or {})["metadata"]["uid"]
    files = {path: content for path, content in FILES.items() if path != MEETINGS}
    commit(system, git, {**files, LIST: NOTHING})
    eventually("the service is gone", lambda: healthy.get("wsvc", "meetings") is None)
    for kind in ("deployment", "service", "job"):
        eventually(f"each {kind} is", lambda kind=kind: healthy.list(kind) == [])
    reconcile(system)
    assert (healthy.get("pvc", "meetings-models") or {})["metadata"]["uid"] == claim
    commit(system, git, FILES)
    eventually("the next service has it", lambda: healthy.get("wsvc", "meetings"))
    serve(healthy)
    eventually("Flux is content", lambda: is_ready(system), seconds=120)
    assert (healthy.get("pvc", "meetings-models") or {})["metadata"]["uid"] == claim
