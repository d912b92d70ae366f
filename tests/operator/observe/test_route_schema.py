"""Which fields the cluster's HTTPRoute has."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.route_schema import has_timeouts

ROUTE = {"group": "gateway.networking.k8s.io", "version": "v1", "kind": "HTTPRoute"}


def schema(**fields: Any) -> dict[str, Any]:
    """Schemas among which HTTPRoute's rules have these fields."""
    spec = {"properties": {"rules": {"items": {"properties": fields}}}}
    of = {"x-kubernetes-group-version-kind": [ROUTE], "properties": {"spec": spec}}
    return {"io.k8s.networking.gateway.v1.HTTPRouteList": {}, "io.k8s.networking.gateway.v1.HTTPRoute": of}


@pytest.mark.parametrize(
    ("schemas", "expected"), [(schema(matches={}), False), (schema(matches={}, timeouts={}), True), ({}, True)]
)
def test_a_route_has_timeouts_where_its_schema_does(schemas: dict[str, Any], expected: bool) -> None:
    assert has_timeouts(schemas) is expected
