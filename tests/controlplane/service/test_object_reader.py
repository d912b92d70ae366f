"""What the tests look at without kubectl is what kubectl shows."""

from __future__ import annotations

import json

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, service


@pytest.mark.parametrize(
    "kinds", ["wsvc", "whisperservices.whisper-operator.io", "secret", "secrets,wsvc", "deployment.apps", "sc"]
)
def test_a_list_is_what_kubectl_shows(namespace: Kubectl, kinds: str) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    namespace("create", "secret", "generic", "keys")
    shown = json.loads(namespace("get", kinds, "--output", "json"))["items"]
    assert namespace.list(kinds) == shown
    assert namespace.list(kinds, "app=none") == []


def test_an_object_is_what_kubectl_shows(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    shown = ("--output", "json", "--show-managed-fields")
    assert namespace.get_with_managers("wsvc", "speech") == json.loads(namespace("get", "wsvc", "speech", *shown))
    assert "managedFields" not in (namespace.get("wsvc", "speech") or {})["metadata"]
    assert namespace.get("wsvc", "another") is None
