"""The CRD is a structural schema, bounded and described, that says nothing of the models' classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from testbed.paths import REPOSITORY
from whisper_operator.api.crd import COLUMNS, custom_resource_definition

BOUNDS = {"array": "maxItems", "object": "maxProperties", "string": "maxLength"}
"""Keyword that bounds a value, by its type."""
OPEN = "x-kubernetes-preserve-unknown-fields"


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for inner in [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(inner, dict):
            yield from schemas(inner)


ROOT = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
ALL = list(schemas(ROOT))


def test_no_schema_has_a_title_or_a_reference() -> None:
    assert [schema for schema in ALL if {"title", "$ref", "$defs", "anyOf", "allOf"} & schema.keys()] == []


def test_every_field_of_spec_and_status_is_described() -> None:
    for part in ("spec", "status"):
        fields = [
            (name, field)
            for schema in schemas(ROOT["properties"][part])
            for name, field in schema.get("properties", {}).items()
        ]
        assert [name for name, field in fields if not field.get("description", "").endswith(".")] == []


def test_every_rule_ends_without_a_full_stop_and_has_a_message() -> None:
    messages = [rule["message"] for schema in ALL for rule in schema.get("x-kubernetes-validations", ())]
    assert messages
    assert [message for message in messages if not message or message.endswith(".")] == []


def is_unbounded(schema: dict[str, Any]) -> bool:
    """Whether a value may be of any length; what an open part holds is Kubernetes' own to bound."""
    keyword = BOUNDS.get(schema.get("type", ""))
    return bool(keyword) and not {keyword, "properties", "enum", OPEN} & schema.keys()


def test_every_list_map_and_string_of_the_spec_has_a_greatest_length() -> None:
    """The API server estimates the cost of rules in CEL from them, and etcd takes no object above 1.5 MiB."""
    assert [schema for schema in schemas(ROOT["properties"]["spec"]) if is_unbounded(schema)] == []


def references(schema: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each field that refers to an object, by name alone or by name and key."""
    for name, field in schema.get("properties", {}).items():
        if list(field.get("properties", ())) in (["name"], ["name", "key"]):
            yield name, list(field["properties"])


def test_a_reference_is_named_by_what_it_refers_to() -> None:
    """…SecretRef {name}, …SecretKeyRef {name, key}, …ConfigMapKeyRef {name, key}: docs/explanation/versions.md."""
    found = [one for schema in schemas(ROOT["properties"]["spec"]) for one in references(schema)]
    assert len(found) >= 6
    endings = {("name",): ("secretref",), ("name", "key"): ("secretkeyref", "configmapkeyref")}
    assert [name for name, parts in found if not name.lower().endswith(endings[tuple(parts)])] == []


def test_the_conditions_are_metav1_conditions() -> None:
    """Source: apimachinery's pkg/apis/meta/v1/types.go."""
    listed = ROOT["properties"]["status"]["properties"]["conditions"]
    assert (listed["x-kubernetes-list-type"], listed["x-kubernetes-list-map-keys"]) == ("map", ["type"])
    one = listed["items"]
    assert one["required"] == ["type", "status", "lastTransitionTime", "reason", "message"]
    assert one["properties"].keys() == {*one["required"], "observedGeneration"}
    assert one["properties"]["type"]["maxLength"] == 316
    assert one["properties"]["reason"].items() >= {"minLength": 1, "maxLength": 1024}.items()
    assert one["properties"]["message"]["maxLength"] == 32768
    assert one["properties"]["observedGeneration"]["minimum"] == 0


def test_the_checks_of_a_status_are_found_by_their_names() -> None:
    status = ROOT["properties"]["status"]["properties"]
    for listed in (status["preflight"], status["verification"]["properties"]["checks"]):
        assert (listed["x-kubernetes-list-type"], listed["x-kubernetes-list-map-keys"]) == ("map", ["name"])


def test_a_column_shows_what_it_is_called() -> None:
    shown = {column[0]: column[2] for column in COLUMNS}
    assert (shown["Replicas"], shown["Available"]) == (".status.replicas", ".status.availableReplicas")


def test_no_item_of_a_list_has_a_default_in_the_schema() -> None:
    """Else kubectl sends the list again at each apply of the same manifest, and Argo CD shows a difference for ever."""
    items = [schema["items"] for schema in schemas(ROOT) if "items" in schema]
    assert len(items) > 10
    assert [schema for item in items for schema in schemas(item) if "default" in schema] == []


def test_only_scalars_have_defaults_in_the_schema() -> None:
    """A default of an object would appear in every manifest that is read back."""
    defaults = [schema["default"] for schema in schemas(ROOT["properties"]["spec"]) if "default" in schema]
    assert "100Mi" in defaults
    assert [default for default in defaults if isinstance(default, dict | list)] == []


def test_the_crd_fits_into_an_annotation() -> None:
    assert len((REPOSITORY / "crds/whisperservices.yaml").read_bytes()) < 256 * 1024
