"""The routes to and from the pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import assert_found


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        ({"networkPolicy": {}, "cache": {"type": "EmptyDir"}}, {},
         "FetchBlocked", "add the model's source to spec.networkPolicy.allowTo", True),
        ({"ingress": {"host": "a.example.com"}}, {"taken": {("a.example.com", "/"): "other/web"}},
         "HostTaken", "is taken by an Ingress of another namespace: choose", False),
        ({"ingress": {"host": "a.io", "additionalHosts": ["b.io"]}}, {"taken": {("b.io", "/"): "team/web"}},
         "HostTaken", "spec.ingress.additionalHosts b.io with path / is taken by Ingress team/web", False),
        ({"ingress": {}}, {"taken": {("", "/"): "team/web"}},
         "HostTaken", "spec.ingress without a host with path / is taken by Ingress team/web", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)
