"""The CRD is a structural schema that says nothing of the models' classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whisper_operator.api.crd import custom_resource_definition


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
