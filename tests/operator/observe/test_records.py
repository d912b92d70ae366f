"""What is kept of an object: JSON where it is one of a service's, a record where it is a fact."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.facts import Node
from whisper_operator.observe.records import IngressRecord, ServiceRecord, entry_of

OURS = {"whisper-operator.io/service": "speech"}


def body(kind: str, labels: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    metadata = {"name": "one", "namespace": "team", "uid": "1", "resourceVersion": "7", "labels": labels or {}}
    return {"kind": kind, "metadata": metadata, **fields}


def test_a_child_is_kept_whole_and_knows_its_service() -> None:
    child = body("Service", OURS, spec={"ports": [1]}, status={"loadBalancer": {}})
    entry = entry_of(child)
    assert entry is not None
    assert (entry.owner, entry.uid, entry.version, entry.record) == (("team", "speech"), "1", 7, None)
    assert entry.body == child


@pytest.mark.parametrize(
    ("labels", "owner", "found"),
    [
        ({}, ("WhisperService", "speech"), ("team", "speech")),
        ({"whisper-operator.io/service": "other"}, ("WhisperService", "speech"), ("team", "speech")),
        (OURS, ("ReplicaSet", "x"), ("team", "speech")),
        (OURS, None, ("team", "speech")),
    ],
    ids=["no label", "another's label", "a pod's owner", "no owner"],
)
def test_the_owner_tells_whose_child_it_is_before_the_label(
    labels: dict[str, str], owner: tuple[str, str] | None, found: tuple[str, str]
) -> None:
    child = body("Service", labels)
    if owner:
        child["metadata"]["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "uid": "9", "controller": True}]
    entry = entry_of(child)
    assert entry is not None
    assert entry.owner == found


def test_field_managers_are_kept_of_a_deployments_replicas_and_images_alone() -> None:
    deployment = body("Deployment", OURS)
    server = 'k:{"name":"server"}'
    containers = {"f:spec": {"f:containers": {server: {"f:image": {}, "f:args": {}}, "k:x": {"f:args": {}}}}}
    deployment["metadata"]["managedFields"] = [
        {"manager": "a", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}}},
        {"manager": "b", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:volumes": {}}}}}},
        {"manager": "c", "fieldsV1": {"f:spec": {"f:template": containers}}},
    ]
    entry = entry_of(deployment)
    assert entry is not None
    assert entry.body["metadata"]["managedFields"] == [
        {"manager": "a", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {
            "manager": "c",
            "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {server: {"f:image": {}}}}}}},
        },
    ]


def test_field_managers_that_edited_the_spec_are_kept_and_none_that_wrote_beside_it() -> None:
    edit = {"manager": "a", "operation": "Update", "fieldsV1": {"f:spec": {"f:type": {}}}}
    others = [
        {"manager": "b", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {}}}},
        {"manager": "c", "operation": "Update", "subresource": "status", "fieldsV1": {"f:spec": {"f:type": {}}}},
        {"manager": "d", "operation": "Apply", "fieldsV1": {"f:spec": {"f:type": {}}}},
    ]
    for kind, kept in (("Service", [edit]), ("Deployment", [edit]), ("PersistentVolumeClaim", [])):
        child = body(kind, OURS)
        child["metadata"]["managedFields"] = [edit, *others]
        entry = entry_of(child)
        assert entry is not None
        assert entry.body["metadata"].get("managedFields", []) == kept


def test_of_a_pod_whose_image_somebody_changed_the_image_and_the_managers_are_kept() -> None:
    container = 'k:{"name":"server"}'
    managers = [
        {"manager": "a", "operation": "Update", "fieldsV1": {"f:spec": {"f:containers": {container: {"f:name": {}}}}}},
        {"manager": "b", "operation": "Update", "fieldsV1": {"f:spec": {"f:containers": {container: {"f:image": {}}}}}},
    ]
    pod = body("Pod", OURS, spec={"containers": [{"name": "server", "image": "b"}, {"name": "other", "image": "c"}]})
    pod["metadata"]["managedFields"] = managers
    entry = entry_of(pod)
    assert entry is not None
    assert entry.body["metadata"]["managedFields"] == managers
    assert entry.body["spec"]["containers"] == [{"name": "server", "env": []}, {"name": "server", "image": "b"}]


def test_of_a_pods_spec_its_node_and_the_environment_of_its_server_are_kept() -> None:
    server = {"name": "server", "env": [{"name": "WHISPER_MODEL", "value": "base"}]}
    containers = [{"name": "injected", "env": [{"name": "A", "value": "b"}]}, {**server, "image": "runtime:1"}]
    status = {"phase": "Running"}
    entry = entry_of(body("Pod", OURS, spec={"nodeName": "a", "containers": containers, "volumes": []}, status=status))
    waiting = entry_of(body("Pod", OURS, spec={"containers": containers}))
    assert entry is not None
    assert waiting is not None
    assert entry.body["spec"] == {"nodeName": "a", "containers": [server]}
    assert entry.body["status"] == status
    assert "nodeName" not in waiting.body["spec"]


def test_of_a_foreign_ingress_nothing_is_kept_but_its_hosts() -> None:
    rules = [{"host": "a.example.com", "http": {"paths": [{"path": "/"}, {"path": "/x"}]}}, {"host": "b.example.com"}]
    entry = entry_of(body("Ingress", spec={"rules": rules, "ingressClassName": "nginx"}, status={"loadBalancer": {}}))
    assert entry is not None
    assert entry.json == b""
    assert entry.record == IngressRecord("", "nginx", (("a.example.com", "/"), ("a.example.com", "/x")))


def test_an_ingress_of_ours_is_kept_whole_with_its_hosts() -> None:
    entry = entry_of(body("Ingress", OURS, spec={}))
    assert entry is not None
    assert entry.body["spec"] == {}
    assert entry.record == IngressRecord("", "", ())


def test_a_node_is_kept_as_what_decides_where_pods_go() -> None:
    entry = entry_of(body("Node", status={"images": [1, 2], "allocatable": {"cpu": "2"}}))
    assert entry is not None
    assert isinstance(entry.record, Node)
    assert entry.json == b""


def test_of_a_quota_its_spec_and_status_are_kept() -> None:
    entry = entry_of(body("ResourceQuota", {"a": "b"}, spec={"hard": {}}, status={"used": {}}))
    assert entry is not None
    assert entry.record == {
        "metadata": {"name": "one", "namespace": "team"},
        "spec": {"hard": {}},
        "status": {"used": {}},
    }


@pytest.mark.parametrize(
    ("conditions", "is_settled"),
    [
        ({"Ready": "True"}, True),
        ({"Ready": "False"}, False),
        ({}, False),
        ({"Ready": "True", "Reconciling": "True"}, False),
        ({"Ready": "True", "Stalled": "True"}, False),
        ({"Ready": "True", "PreflightPassed": "True"}, True),
        ({"Ready": "True", "PreflightPassed": "False"}, False),
    ],
)
def test_a_service_is_settled_when_it_is_ready_and_nothing_goes_on(
    conditions: dict[str, str], is_settled: bool
) -> None:
    status = {"conditions": [{"type": kind, "status": value} for kind, value in conditions.items()]}
    entry = entry_of(body("WhisperService", spec={}, status=status))
    assert entry is not None
    assert entry.record == ServiceRecord(is_settled, ())


def test_what_belongs_to_no_service_and_is_no_fact_is_not_kept() -> None:
    assert entry_of(body("Service", {"app": "other"})) is None
