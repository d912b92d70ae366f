"""`run --dry-run`: each pass's differences are logged, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, service
from tests.support.waiting import eventually


@pytest.fixture
def dry(plane: ControlPlane) -> Iterator[OperatorProcess]:
    running = OperatorProcess(plane, identity="dry-run", settings={"DISCOVERY_SECONDS": "1"})
    running.start("--dry-run")
    yield running
    running.stop()


def writes(plane: ControlPlane, since: int) -> list[str]:
    """Request URIs of the operator's writes."""
    with plane.audit_log.open() as log:
        log.seek(since)
        events = [json.loads(line) for line in log if line.endswith("}\n")]
    return [
        event["requestURI"]
        for event in events
        if event["user"]["username"] == OPERATOR and event["verb"] in audit.WRITES
    ]


def test_what_would_be_written_is_logged(dry: OperatorProcess, namespace: Kubectl, plane: ControlPlane) -> None:
    since = plane.audit_log.stat().st_size
    namespace.apply(service("speech", **EMPTY_DIR))
    namespace("create", "service", "clusterip", "unrelated", "--tcp=80")
    eventually("the Service would be made", lambda: "would apply Service/speech: " in dry.log)
    eventually("the Deployment would be made", lambda: "would apply Deployment/speech: " in dry.log)
    assert "'image': 'runtime:1'" in dry.log
    eventually("the API server was asked", lambda: writes(plane, since))
    assert [uri for uri in writes(plane, since) if "dryRun=All" not in uri] == []
    assert namespace.list("deployments,services,serviceaccounts", "whisper-operator.io/service=speech") == []
    assert (namespace.get("wsvc", "speech") or {})["status"] == {"observedGeneration": -1}
