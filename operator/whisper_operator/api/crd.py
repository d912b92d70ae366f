"""The CustomResourceDefinition, generated from the models: structural, described, bounded."""

from __future__ import annotations

from typing import Any, Final, cast

from pydantic import BaseModel

from whisper_operator.api.base import INT_OR_STRING, VALIDATIONS
from whisper_operator.api.v1alpha1 import GROUP, KIND, NAME_PATTERN, PLURAL, VERSION, WhisperService

Schema = dict[str, Any]

COLUMNS: Final = (
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 0),
    ("Model", "string", ".status.model.name", 0),
    ("Replicas", "integer", ".status.replicas", 0),
    ("Available", "integer", ".status.availableReplicas", 0),
    ("URL", "string", ".status.url", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Wanted", "string", ".status.model.wanted", 1),
    ("Queued", "string", ".status.jobs.queuedAudio", 1),
    ("Speed", "number", ".status.performance.realtimeFactor", 1),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
)
"""Columns of `kubectl get wsvc`: name, type, path, and priority (1: only with -o wide)."""

_DROPPED: Final = frozenset(
    {"title", "$defs", "additionalProperties", "const", "propertyNames", "anyOf", "oneOf", "default"}
)


def custom_resource_definition() -> dict[str, Any]:
    """The manifest of the CRD."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["wsvc"],
                "categories": ["whisper"],
            },
            "versions": [_version()],
        },
    }


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root()},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path} | ({"priority": priority} if priority else {})
            for name, kind, path, priority in COLUMNS
        ],
    }


def _root() -> Schema:
    found = structural(WhisperService)
    properties = found["properties"]
    properties["metadata"] = {"type": "object"}
    properties["apiVersion"] = properties["kind"] = {"type": "string"}
    # kstatus considers an object without status current: Helm and Flux would not wait for the operator's first pass.
    properties["status"]["default"] = {"observedGeneration": -1}
    return found | {
        "required": ["spec"],
        VALIDATIONS: [
            {
                "rule": f"self.metadata.name.matches('{NAME_PATTERN}')",
                "message": "metadata.name must start with a letter and have at most 40 lower-case letters, digits and "
                "hyphens, because the names of its children are longer: choose another name",
            }
        ],
    }


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of `model`: no references, no unions, no titles, as apiextensions/v1 demands."""
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    schema = _resolved(schema, definitions)
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    if (default := _leaf_default(schema)) is not None:
        kept["default"] = default
    if INT_OR_STRING in schema:
        return kept
    if "properties" in schema:
        kept["properties"] = {name: _structural(part, definitions) for name, part in schema["properties"].items()}
    if "items" in schema:
        kept["items"] = _without_defaults(_structural(schema["items"], definitions))
    if isinstance(values := schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _structural(cast(Schema, values), definitions)
    if isinstance(text := kept.get("description"), str):
        kept["description"] = " ".join(text.split())
    return kept


def _without_defaults(schema: Schema) -> Schema:
    """The schema of an item, for which the models alone know the defaults.

    kubectl and Argo CD compare a list of a custom resource as a whole: with a default stored in one of its items, each
    apply of the same manifest would send the list again, and Argo CD show a difference for ever.
    """
    found = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in found:
        found["properties"] = {name: _without_defaults(part) for name, part in schema["properties"].items()}
    for inner in ("items", "additionalProperties"):
        if isinstance(part := schema.get(inner), dict):
            found[inner] = _without_defaults(cast(Schema, part))
    return found


def _resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """`schema` with its reference followed and `X | None` read as X; the keys beside them take precedence."""
    while "$ref" in schema or ("anyOf" in schema and INT_OR_STRING not in schema):
        if "$ref" in schema:
            inner = definitions[schema["$ref"].rpartition("/")[2]]
            beside = {key: value for key, value in schema.items() if key != "$ref"}
        else:
            (inner,) = (option for option in schema["anyOf"] if option.get("type") != "null")
            beside = {key: value for key, value in schema.items() if key != "anyOf"}
        schema = {**inner, **beside}
    return schema


def _leaf_default(schema: Schema) -> Any:
    """Default of a scalar; None for an object, whose default would appear in every manifest that is read back."""
    default = schema.get("default")
    return default if isinstance(default, str | int | float | bool) else None
