"""A wanted object against the live one."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.objects.diff import JsonValue, changes, deviations, edited

B_IS_ADDED = ["spec.securityContext.b"]


@pytest.mark.parametrize(
    ("wanted", "there", "paths"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": {}}, {}, ["a"]),
        ({"a": ["x"]}, {"a": ["x", "y"]}, ["a"]),
        ({"a": [{"k": 1}]}, {"a": [{"k": 1, "default": True}]}, []),
        ({"env": [{"name": "x", "value": ""}]}, {"env": [{"name": "x"}]}, []),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, []),
        ({"memory": "1Gi"}, {"memory": "1000Mi"}, ["memory"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1, "default": True}}}, []),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["a.b.c"]),
        ({"a": {"b": 1}}, {"a": "no map"}, ["a"]),
        ({"containers": [{"name": "x"}]}, {"containers": [{"name": "x", "more": 2}]}, []),
        ({"containers": [{"name": "x"}]}, {"containers": [{"name": "y"}]}, ["containers[x]", "containers[y]"]),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 81}]}, ["ports[80 TCP]", "ports[81 TCP]"]),
        ({"volumeMounts": [{"mountPath": "/a"}]}, {"volumeMounts": [{"mountPath": "/a", "readOnly": True}]}, []),
        ({"volumes": [{"name": ["no name"]}]}, {"volumes": [{"name": ["no name"], "default": True}]}, []),
        ({"parentRefs": [{"name": "a"}]}, {"parentRefs": [{"name": "a"}, {"name": "b"}]}, ["parentRefs"]),
        ({"ownerReferences": [{"uid": "1"}]}, {"ownerReferences": [{"uid": "2"}, {"uid": "1"}]}, []),
        ({"selector": {"a": "b"}}, {"selector": {"a": "b", "c": "d"}}, ["selector"]),
        ({"spec": {"a": 1}}, {"spec": {"a": 1, "hostNetwork": True}}, ["spec.hostNetwork"]),
        ({"spec": {"a": 1}}, {"spec": {"a": 1, "nodeSelector": {"pool": "b"}}}, ["spec.nodeSelector"]),
        ({"spec": {"a": 1}}, {"spec": {"a": 1, "securityContext": {}}}, []),
        ({"spec": {"securityContext": {"a": 1}}}, {"spec": {"securityContext": {"a": 1, "b": 0}}}, B_IS_ADDED),
        ({"spec": {"a": False}}, {"spec": {}}, ["spec.a"]),
    ],
)
def test_what_deviates_is_named_by_its_path(wanted: JsonValue, there: JsonValue, paths: list[str]) -> None:
    assert sorted(one.path for one in deviations(wanted, there)) == paths


@pytest.mark.parametrize(
    ("wanted", "there", "owned", "paths"),
    [
        ({}, {"dnsPolicy": "Default"}, {"f:dnsPolicy": {}}, ["spec.dnsPolicy"]),
        ({}, {"dnsPolicy": "ClusterFirst"}, None, []),
        ({}, {"probe": {"a": 1, "b": 2}}, {"f:probe": {"f:a": {}}}, ["spec.probe"]),
        ({"probe": {"a": 1}}, {"probe": {"a": 1, "b": 2}}, {"f:probe": {"f:b": {}}}, ["spec.probe.b"]),
        ({"probe": {"a": 1}}, {"probe": {"a": 1, "b": 2}}, {"f:probe": {"f:a": {}}}, []),
        ({}, {"replicas": 3}, {"f:replicas": {}}, []),
        ({}, {"template": {}, "metadata": {"labels": {"a": "b"}}}, {"f:metadata": {"f:labels": {"f:a": {}}}}, []),
        ({"metadata": {"a": 1}}, {"metadata": {"a": 1, "annotations": {}}}, {"f:metadata": {"f:annotations": {}}}, []),
    ],
)
def test_what_an_editor_owns_beside_the_wanted_fields_deviates(
    wanted: dict[str, Any], there: dict[str, Any], owned: Any, paths: list[str]
) -> None:
    found = deviations({"spec": wanted}, {"spec": there}, editors=[{"f:spec": owned} if owned else {"f:metadata": {}}])
    assert sorted(one.path for one in found) == paths


@pytest.mark.parametrize(
    ("wanted", "there", "is_left_out"),
    [
        (False, None, True),
        (0, None, True),
        ({"privileged": False, "sysctls": []}, None, True),
        (True, None, False),
        ({"privileged": True}, None, False),
        (False, True, False),
        ("", "Always", True),
        (0, 10, False),
    ],
)
def test_what_means_the_same_when_it_is_left_out(wanted: JsonValue, there: JsonValue, is_left_out: bool) -> None:
    (found,) = deviations({"a": wanted}, {} if there is None else {"a": there})
    assert found.is_left_out is is_left_out


WANTED: Any = {
    "spec": {
        "hostIPC": False,
        "tolerations": [{"key": "gpu"}],
        "containers": [{"name": "server", "env": [{"name": "A", "value": "1"}]}],
    }
}
OURS: Any = {
    "f:spec": {
        "f:hostIPC": {},
        "f:tolerations": {},
        "f:containers": {
            'k:{"name":"server"}': {
                ".": {},
                "f:name": {},
                "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
            }
        },
    }
}
SIDECAR = {"name": "sidecar"}


def of_sidecar(name: str = "sidecar") -> Any:
    return {"f:spec": {"f:containers": {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}}}}}


def spec(**changed: Any) -> Any:
    """WANTED as the API server has it: false is dropped."""
    return {"spec": {"tolerations": [{"key": "gpu"}], "containers": WANTED["spec"]["containers"], **changed}}


@pytest.mark.parametrize(
    ("live", "ours", "others", "paths"),
    [
        (spec(), OURS, [], []),
        (spec(tolerations=[{"key": "gpu"}, {"key": "policy"}]), OURS, [], []),
        (spec(containers=[*WANTED["spec"]["containers"], SIDECAR]), OURS, [], []),
        (spec(containers=[*WANTED["spec"]["containers"], SIDECAR]), OURS, [of_sidecar("x")], []),
        (spec(containers=[*WANTED["spec"]["containers"], SIDECAR]), OURS, [of_sidecar()], ["spec.containers[sidecar]"]),
        (
            spec(containers=[{"name": "server2"}]),
            {"f:spec": {"f:hostIPC": {}, "f:tolerations": {}}},
            [of_sidecar("server2")],
            ["spec.containers[server2]", "spec.containers[server]"],
        ),
        (spec(hostIPC=True), {"f:spec": {"f:tolerations": {}}}, [{"f:spec": {"f:hostIPC": {}}}], ["spec.hostIPC"]),
        (spec(paused=True), OURS, [{"f:spec": {"f:paused": {}}}], ["spec.paused"]),
        (spec(nodeSelector={"pool": "b"}), OURS, [{"f:spec": {"f:nodeSelector": {}}}], ["spec.nodeSelector"]),
        (spec(nodeSelector={"pool": "b"}), OURS, [{"f:spec": {"f:replicas": {}}}], []),
        (spec(), None, [], ["spec.hostIPC"]),
    ],
    ids=[
        "dropped",
        "changed by a policy",
        "added by a policy",
        "added by a policy, beside an editor",
        "added",
        "renamed",
        "changed",
        "paused",
        "sent to other nodes",
        "sent to other nodes by a policy",
        "never applied",
    ],
)
def test_who_has_taken_a_field_over_has_edited_it(live: Any, ours: Any, others: list[Any], paths: list[str]) -> None:
    assert sorted(one.path for one in edited(WANTED, live, ours, others)) == paths


def test_each_changed_field_is_named_with_both_values() -> None:
    before = {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"replicas": 1, "paused": True}}
    after = {"metadata": {"name": "a", "resourceVersion": "2"}, "spec": {"replicas": 2}}
    assert list(changes(before, after)) == ["spec.paused: True → None", "spec.replicas: 1 → 2"]


def test_an_empty_list_that_is_not_stored_is_nobodys_edit() -> None:
    """The API server does not note whose it is."""
    ours = {"f:spec": {"f:tolerations": {}}}
    assert edited({"spec": {"volumes": []}}, {"spec": {}}, ours, []) == []
    assert [one.path for one in edited({"spec": {"volumes": [1]}}, {"spec": {}}, ours, [])] == ["spec.volumes"]
