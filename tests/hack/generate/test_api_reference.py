"""The reference of the API has a row for each field and a line for each rule."""

from __future__ import annotations

from typing import Any

from hack.generate.api_reference import markdown

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "x-kubernetes-validations": [{"rule": "true", "message": "spec.name is wrong: correct it"}],
    "properties": {
        "name": {"type": "string", "description": "Name.", "x-kubernetes-validations": [{"message": "is not a name"}]},
        "size": {"x-kubernetes-int-or-string": True, "default": "auto", "description": "Size."},
        "kind": {"enum": ["A", "B"], "description": "Kind."},
        "labels": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Labels.",
            "x-kubernetes-validations": [{"message": "has a key that is not a label"}],
        },
        "items": {
            "type": "array",
            "description": "Items.",
            "items": {"type": "object", "properties": {"port": {"type": "integer", "description": "Port."}}},
        },
    },
}
CRD: dict[str, Any] = {
    "spec": {
        "versions": [
            {
                "schema": {
                    "openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": {"type": "object"}}}
                }
            }
        ]
    }
}
WRITTEN = markdown(CRD)


def test_a_field_has_its_path_type_default_and_description() -> None:
    rows = [line for line in WRITTEN.splitlines() if line.startswith("| `spec")]
    assert rows == [
        "| `spec.name` | string | required | Name. |",
        "| `spec.size` | integer or string | `auto` | Size. |",
        "| `spec.kind` | `A`, `B` |  | Kind. |",
        "| `spec.labels` | map of string |  | Labels. |",
        "| `spec.items` | list of object |  | Items. |",
        "| `spec.items[].port` | integer |  | Port. |",
    ]


def test_only_rules_of_objects_are_listed_with_their_paths() -> None:
    assert WRITTEN.endswith("\n- spec.name is wrong: correct it\n- spec.labels has a key that is not a label\n")
