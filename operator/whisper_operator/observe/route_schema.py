"""Which fields the cluster's HTTPRoute has, for its CustomResourceDefinition may be older than a field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whisper_operator.objects.kinds import HTTP_ROUTE


def has_timeouts(schemas: Mapping[str, Any]) -> bool:
    """Whether the rules of an HTTPRoute have `timeouts`: in the Standard channel since Gateway API 1.2.

    `schemas`: the API's OpenAPI schemas, by any name; True where HTTPRoute is not among them.
    Source: https://gateway-api.sigs.k8s.io/geps/gep-1742/
    """
    for schema in schemas.values():
        kinds = schema.get("x-kubernetes-group-version-kind", ())
        if any((one.get("group"), one.get("kind")) == (HTTP_ROUTE.group, HTTP_ROUTE.kind) for one in kinds):
            spec = schema.get("properties", {}).get("spec", {})
            rule = spec.get("properties", {}).get("rules", {}).get("items", {})
            return "timeouts" in rule.get("properties", {})
    return True
