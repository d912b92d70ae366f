"""`spec.podTemplate` has the last word, selector labels excepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, one, service

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
    assert found["spec"]["containers"][0]["args"] == ["serve", "-v"]


def test_labels_that_selectors_rest_on_stay() -> None:
    found = template(metadata={"labels": {"app.kubernetes.io/name": "mine", "team": "a"}})
    assert found["metadata"]["labels"]["app.kubernetes.io/name"] == "whisper"
    assert found["metadata"]["labels"]["team"] == "a"


def test_quantities_are_written_as_the_api_server_stores_them() -> None:
    resources = {"requests": {"cpu": "0.5", "memory": "2048Mi"}}
    found = template(spec={"containers": [{"name": "server", "resources": resources}]})
    assert found["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "2Gi"}


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
