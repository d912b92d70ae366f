"""Who else writes: kubectl twice, Helm, Argo CD, and managers of fields that the operator does not set."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.cluster import binaries
from testbed.cluster.controlplane import ControlPlane
from testbed.paths import REPOSITORY
from tests.support.health import argo_cd
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, reason, service
from tests.support.waiting import eventually
from whisper_operator.objects import names

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_nothing_differs_after_an_apply_and_the_operators_passes(namespace: Kubectl, file: Path) -> None:
    name = yaml.safe_load(file.read_text())["metadata"]["name"]
    namespace("apply", "-f", str(file))
    eventually("it is judged", lambda: (namespace.get("wsvc", name) or {})["status"]["observedGeneration"] == 1)
    assert namespace("diff", "-f", str(file)) == ""
    assert "unchanged" in namespace("apply", "-f", str(file))


def test_what_others_set_stays_and_what_is_ours_is_put_back(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    theirs: dict[str, Any] = {
        "metadata": {"name": "speech", "labels": {"team": "a"}, "annotations": {"example.com/owner": "a"}},
        "spec": {
            "progressDeadlineSeconds": 900,
            "template": {"metadata": {"annotations": {"sidecar.example.com/inject": "true"}}},
        },
    }
    apply_as(namespace, "mesh", {"apiVersion": "apps/v1", "kind": "Deployment", **theirs})
    affinity = {"metadata": {"name": "speech"}, "spec": {"sessionAffinity": "ClientIP"}}
    apply_as(namespace, "mesh", {"apiVersion": "v1", "kind": "Service", **affinity})
    namespace("scale", "deployment", "speech", "--replicas=7")
    eventually("ours is put back", lambda: (namespace.get("deployment", "speech") or {})["spec"]["replicas"] == 1)
    deployment, clients = namespace.get("deployment", "speech") or {}, namespace.get("service", "speech") or {}
    assert deployment["metadata"]["labels"]["team"] == "a"
    assert deployment["metadata"]["annotations"]["example.com/owner"] == "a"
    assert deployment["spec"]["progressDeadlineSeconds"] == 900
    assert deployment["spec"]["template"]["metadata"]["annotations"]["sidecar.example.com/inject"] == "true"
    assert clients["spec"]["sessionAffinity"] == "ClientIP"


LABEL = "app.kubernetes.io/instance"
KEPT = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}


def is_kept(namespace: Kubectl) -> bool:
    """Whether neither Argo CD, however it tracks, nor Flux prunes the claim, which no owner protects."""
    metadata = (namespace.get("pvc", "speech-models") or {"metadata": {}})["metadata"]
    is_owned = bool(metadata.get("ownerReferences"))
    return not is_owned and LABEL not in metadata["labels"] and KEPT.items() <= metadata["annotations"].items()


def test_a_retained_claim_belongs_to_no_application(namespace: Kubectl) -> None:
    namespace.apply(service("speech", cache={"retention": "Retain"}))
    eventually("the claim is there", lambda: namespace.get("pvc", "speech-models"))
    assert is_kept(namespace)
    namespace("patch", "wsvc", "speech", "--type=merge", "-p", '{"spec": {"cache": {"retention": "Delete"}}}')
    eventually("it goes with its service", lambda: not is_kept(namespace))
    metadata = (namespace.get("pvc", "speech-models") or {})["metadata"]
    assert not KEPT.keys() & metadata["annotations"].keys()
    assert (metadata["labels"][LABEL], metadata["ownerReferences"][0]["kind"]) == ("speech", "WhisperService")


def test_a_retained_claim_of_an_earlier_release_is_corrected(namespace: Kubectl) -> None:
    labels = names.labels("speech", names.SERVER)
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "speech-models", "labels": labels, "annotations": {"whisper-operator.io/applied": "x"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
    }
    apply_as(namespace, names.FIELD_MANAGER, claim)
    before = namespace.get("pvc", "speech-models") or {}
    assert before["metadata"]["labels"][LABEL] == "speech"
    namespace.apply(service("speech", cache={"retention": "Retain"}))
    eventually("it is corrected", lambda: is_kept(namespace))
    assert (namespace.get("pvc", "speech-models") or {})["metadata"]["uid"] == before["metadata"]["uid"]


def apply_as(namespace: Kubectl, manager: str, body: dict[str, Any]) -> None:
    namespace("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=json.dumps(body))


@pytest.fixture
def helm(plane: ControlPlane, namespace: Kubectl, tmp_path: Path) -> Any:
    """Installs a chart that holds one WhisperService; what Helm printed, and its exit code."""

    def install(spec: dict[str, Any]) -> tuple[int, str]:
        (tmp_path / "templates").mkdir()
        (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: team\nversion: 1.0.0\n")
        (tmp_path / "templates/speech.yaml").write_text(yaml.safe_dump(service("speech", **spec)))
        command = (str(binaries.ensure("helm") / "helm"), "install", "team", str(tmp_path), "--wait", "--timeout=60s")
        where = ("--kubeconfig", str(plane.kubeconfig), "--namespace", namespace.namespace)
        done = subprocess.run((*command, *where), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return install


def test_helm_waits_until_the_service_is_ready(helm: Any, namespace: Kubectl) -> None:
    code, told = helm({**EMPTY_DIR, "suspend": True})
    assert code == 0, told
    assert reason(namespace, "speech", "Ready") == "Suspended"


def test_helm_fails_with_the_operators_own_words(helm: Any) -> None:
    code, told = helm({**EMPTY_DIR, "auth": {"secretRef": {"name": "keys"}}})
    assert code != 0
    assert "status: Failed" in told
    assert "named in spec.auth.secretRef, does not exist: create it" in told


READY = {"type": "Ready", "status": "True", "reason": "AsSpecified"}
RECONCILING = {"type": "Reconciling", "status": "True", "reason": "RollingOut", "message": "1 of 2"}
STALLED = {"type": "Stalled", "status": "True", "reason": "SecretNotFound", "message": "create it"}


@pytest.mark.parametrize(
    ("status", "health", "says"),
    [
        ({}, "Progressing", "waiting for the operator"),
        ({"observedGeneration": 1, "conditions": [READY]}, "Progressing", "waiting for the operator"),
        ({"observedGeneration": 2, "conditions": [READY]}, "Healthy", ""),
        ({"observedGeneration": 2, "conditions": [READY | {"reason": "Suspended"}]}, "Suspended", ""),
        (
            {"observedGeneration": 2, "conditions": [READY | {"status": "False", "reason": "Fetching"}]},
            "Progressing",
            "Fetching: ",
        ),
        (
            {"observedGeneration": 2, "conditions": [READY, RECONCILING]},
            "Progressing",
            "RollingOut: 1 of 2",
        ),
        (
            {"observedGeneration": 2, "conditions": [READY | {"status": "False"}, STALLED]},
            "Degraded",
            "SecretNotFound: create it",
        ),
    ],
)
def test_what_argo_cd_makes_of_it(status: dict[str, Any], health: str, says: str) -> None:
    assert argo_cd(2, status) == (health, says)
