"""The Job that deletes files is a pod like those that serve, but for its command, and leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubectl_whisper.kube_api import Failure, KubeApi
from kubectl_whisper.upkeep.prune_job import LABELS, delete_files, manifest
from kubectl_whisper.upkeep.verify import WaitClock

from tests.plugin.conftest import PlannedServer, as_json, as_list

HARDENED = {"readOnlyRootFilesystem": True}
POD: dict[str, Any] = {
    "metadata": {"namespace": "team", "name": "speech-1"},
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "speech",
        "securityContext": {"runAsNonRoot": True, "fsGroup": 7},
        "tolerations": [{"key": "gpu"}],
        "nodeSelector": {"pool": "gpu"},
        "containers": [
            {"name": "sidecar", "image": "mesh:1"},
            {"name": "server", "image": "runtime:1", "securityContext": HARDENED, "resources": {"limits": {"gpu": 1}}},
        ],
    },
}
JOBS = "/apis/batch/v1/namespaces/team/jobs"
MADE = as_json({"metadata": {"name": "whisper-prune-x", "uid": "u1"}})


def ended(kind: str, message: str = "") -> dict[str, Any]:
    return {"status": {"conditions": [{"type": kind, "status": "True", "message": message}]}}


def delete(api_server: PlannedServer) -> None:
    time = iter(range(1000))
    clock = WaitClock(lambda: float(next(time)), lambda _: None)
    delete_files(KubeApi(None, None), POD, "shared", ["a-1.pt", "b-2.pt"], clock)


def test_the_pod_is_as_those_that_serve_and_takes_no_card() -> None:
    spec = manifest(POD, "shared", ["a-1.pt", "--b.pt"])["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["command"] == ["rm", "-f", "--", "/app/models/a-1.pt", "/app/models/--b.pt"]
    assert (container["image"], container["securityContext"]) == ("runtime:1", HARDENED)
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert (spec["serviceAccountName"], spec["tolerations"]) == ("speech", [{"key": "gpu"}])
    assert spec["securityContext"] == {"runAsNonRoot": True, "fsGroup": 7}
    assert spec["automountServiceAccountToken"] is False
    assert '"values": ["n1"]' in json.dumps(spec["affinity"])
    assert spec["volumes"][0]["persistentVolumeClaim"] == {"claimName": "shared"}
    assert "readOnly" not in container["volumeMounts"][0]


def test_no_service_takes_the_pod_for_its_own() -> None:
    job = manifest(POD, "shared", ["a-1.pt"])
    assert job["metadata"]["labels"] == job["spec"]["template"]["metadata"]["labels"] == LABELS
    assert not any(name.startswith("whisper-operator.io/") for name in LABELS)


def test_the_job_is_waited_for_and_removed(api_server: PlannedServer) -> None:
    api_server.answers = [MADE, as_list({}), as_list(ended("Complete")), as_json({})]
    delete(api_server)
    assert api_server.methods == ["POST", "GET", "GET", "DELETE"]
    assert api_server.requests[3][0] == f"{JOBS}/whisper-prune-x"
    assert b'"u1"' in api_server.requests[3][2]


STOPPED = {"state": {"terminated": {"message": "rm: cannot remove 'a-1.pt': Permission denied\n"}}}


@pytest.mark.parametrize(
    ("pods", "message"),
    [
        ([{"status": {"containerStatuses": [STOPPED]}}], "rm: cannot remove 'a-1.pt': Permission denied"),
        ([{"status": {}}], "Job was active longer than specified deadline"),
    ],
    ids=["the pod's word", "the Job's word"],
)
def test_why_it_failed(api_server: PlannedServer, pods: list[Any], message: str) -> None:
    failed = ended("Failed", "Job was active longer than specified deadline")
    api_server.answers = [MADE, as_list(failed), as_list(*pods), as_json({})]
    with pytest.raises(Failure, match=message):
        delete(api_server)
    assert api_server.methods[-1] == "DELETE"


def test_a_job_that_is_gone_or_does_not_end(api_server: PlannedServer) -> None:
    api_server.answers = [MADE, as_list(), as_json({})]
    with pytest.raises(Failure, match="deleted by somebody else"):
        delete(api_server)
    api_server.by_path = {"/jobs?": as_list({})}
    api_server.answers = [MADE, as_json({})]
    with pytest.raises(Failure, match="has not ended in 240 s"):
        delete(api_server)
