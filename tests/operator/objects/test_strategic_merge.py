"""`spec.podTemplate` has the last word, selector labels excepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, container, one, service

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def template(**over: Any) -> dict[str, Any]:
    wanted = service(podTemplate=over, **EMPTY_DIR) if over else service(**EMPTY_DIR)
    return one(children(wanted), "Deployment")["spec"]["template"]


def test_items_are_merged_by_their_keys() -> None:
    server = {
        "name": "server",
        "env": [{"name": "WHISPER_MODEL", "value": "mine"}, {"name": "TZ", "value": "UTC"}],
        "volumeMounts": [{"mountPath": "/tmp", "name": "bigger"}],
    }
    found = template(spec={"containers": [server, {"name": "sidecar", "image": "x"}]})
    first, second = found["spec"]["containers"]
    env = {entry["name"]: entry["value"] for entry in first["env"]}
    assert (env["WHISPER_MODEL"], env["TZ"]) == ("mine", "UTC")
    assert {"mountPath": "/tmp", "name": "bigger"} in first["volumeMounts"]
    assert len(first["volumeMounts"]) == 2
    assert second == {"name": "sidecar", "image": "x"}


def test_null_removes_and_other_lists_are_replaced() -> None:
    found = template(spec={"enableServiceLinks": None, "containers": [{"name": "server", "args": ["serve", "-v"]}]})
    assert "enableServiceLinks" not in found["spec"]
    assert container(found["spec"], "server")["args"] == ["serve", "-v"]


DELETE = {"$patch": "delete"}


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"securityContext": DELETE}, "securityContext"),
        ({"enableServiceLinks": DELETE}, "enableServiceLinks"),
        ({"initContainers": DELETE}, "initContainers"),
        ({"initContainers": DELETE, "nodeName": DELETE}, "nodeName"),
    ],
    ids=["an object", "a scalar", "a list", "what is not there"],
)
def test_a_directive_removes_a_field_of_any_type(over: dict[str, Any], field: str) -> None:
    assert field not in template(spec=over)["spec"]


def test_a_directive_removes_a_field_of_an_object_and_leaves_the_others() -> None:
    context = template(spec={"securityContext": {"seccompProfile": DELETE, "runAsUser": 1000}})["spec"][
        "securityContext"
    ]
    assert context.items() >= {"runAsNonRoot": True, "runAsUser": 1000}.items()
    assert "seccompProfile" not in context


def test_a_directive_replaces_an_object() -> None:
    over = {"securityContext": {"$patch": "replace", "runAsUser": 1000}}
    assert template(spec=over)["spec"]["securityContext"] == {"runAsUser": 1000}


def test_a_directive_removes_an_item_of_a_list_by_its_key() -> None:
    server = {"name": "server", "ports": [{"containerPort": 9000, **DELETE}, {"containerPort": 9999, **DELETE}]}
    found = template(spec={"containers": [server, {"name": "absent", **DELETE}]})["spec"]["containers"]
    assert [one["name"] for one in found] == ["server"]
    assert [port["containerPort"] for port in found[0]["ports"]] == [8000]


def test_a_directive_that_is_none_stays_for_the_api_server_to_refuse() -> None:
    assert template(spec={"securityContext": {"$patch": "merge"}})["spec"]["securityContext"]["$patch"] == "merge"


def test_labels_that_selectors_rest_on_stay() -> None:
    found = template(metadata={"labels": {"app.kubernetes.io/name": "mine", "team": "a"}})
    assert found["metadata"]["labels"]["app.kubernetes.io/name"] == "whisper"
    assert found["metadata"]["labels"]["team"] == "a"


def test_quantities_are_written_as_the_api_server_stores_them() -> None:
    resources = {"requests": {"cpu": "0.5", "memory": "2048Mi"}}
    found = template(spec={"containers": [{"name": "server", "resources": resources}]})
    assert container(found["spec"], "server")["resources"]["requests"] == {"cpu": "500m", "memory": "2Gi"}


def test_without_it_nothing_changes() -> None:
    assert template() == template(metadata={"annotations": {}})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("metadata", "no object"),
        ("metadata", {"labels": ["no object"]}),
        ("spec", "no object"),
        ("spec", {"containers": "no list"}),
    ],
)
def test_what_is_malformed_stays_for_the_api_server_to_refuse(field: str, value: Any) -> None:
    found = template(**{field: value})[field]
    assert found == value or value.items() <= found.items()


@pytest.mark.parametrize("quantity", ["much", ["1"], {"cpu": "1"}, None])
def test_an_invalid_quantity_stays_for_the_api_server_to_refuse(quantity: Any) -> None:
    server = {"name": "server", "resources": {"requests": {"example.com/fpga": quantity}}}
    (container,) = template(spec={"containers": [server]})["spec"]["containers"]
    assert container["resources"]["requests"].get("example.com/fpga") == quantity


def test_metadata_that_is_taken_away_keeps_the_selectors_labels() -> None:
    assert template(metadata=None)["metadata"]["labels"] == template()["metadata"]["labels"]


PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


@pytest.mark.parametrize("name", ["timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"])
@pytest.mark.parametrize("probe", PROBES)
def test_a_zero_of_a_probe_says_nothing(probe: str, name: str) -> None:
    """The API server takes it to mean a default, of a number that it would refuse."""
    ours = container(template()["spec"], "server")[probe]
    asked = [{"name": "server", probe: {name: 0, "initialDelaySeconds": 0}}]
    assert container(template(spec={"containers": asked})["spec"], "server")[probe] == {
        **ours,
        "initialDelaySeconds": 0,
    }


def test_a_port_without_a_protocol_is_of_tcp() -> None:
    ports = [{"containerPort": 8000, "protocol": "", "name": "speech"}, {"containerPort": 7000, "protocol": ""}]
    found = container(template(spec={"containers": [{"name": "server", "ports": ports}]})["spec"], "server")["ports"]
    assert found == [
        {"name": "speech", "containerPort": 8000, "protocol": "TCP"},
        {"name": "metrics", "containerPort": 9000, "protocol": "TCP"},
        {"containerPort": 7000},
    ]


@pytest.mark.parametrize(
    ("over", "name"),
    [
        ({"serviceAccount": "theirs"}, "theirs"),
        ({"serviceAccount": "theirs", "serviceAccountName": "mine"}, "mine"),
        ({"serviceAccount": "theirs", "serviceAccountName": ""}, "theirs"),
        ({"serviceAccount": ""}, "speech"),
    ],
)
def test_an_account_is_named_by_either_of_its_names(over: dict[str, Any], name: str) -> None:
    found = template(spec=over)["spec"]
    assert (found["serviceAccountName"], "serviceAccount" in found) == (name, False)


@pytest.mark.parametrize("wrong", [False, [], {}, "0"])
def test_a_wrong_type_stays_for_the_api_server_to_refuse(wrong: Any) -> None:
    asked = [{"name": "server", "livenessProbe": {"periodSeconds": wrong}}]
    assert container(template(spec={"containers": asked})["spec"], "server")["livenessProbe"]["periodSeconds"] == wrong
