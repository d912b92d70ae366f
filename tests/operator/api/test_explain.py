"""A validation error is explained by field, value and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import refused


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"server": {"requestTimeout": "soon"}},
         "spec.server.requestTimeout: 'soon' is not a valid duration; for example 30s, 10m or 1h30m"),
        ({"image": {"tag": "a b"}}, "spec.image.tag: 'a b' is not a valid image tag; for example 1.2.3"),
        ({"gateway": {"hostnames": ["a.example.com", "http://b"]}},
         "spec.gateway.hostnames[1]: 'http://b' is not a valid host name; for example speech.example.com, without "
         "scheme, port or path; no IP address"),
        ({"scheduling": {"nodeSelector": {"a b": "c"}}},
         "spec.scheduling.nodeSelector: 'a b' is not a valid name of a label or annotation; for example team or "
         "example.com/team"),
        ({"resources": {"requests": {"nvidia.com/gpu": 1}}},
         "spec.resources.requests: 'nvidia.com/gpu' is not a resource of this field; use cpu, memory or "
         "ephemeral-storage, request a GPU by spec.gpu, and anything else by spec.podTemplate"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named_with_its_value_and_remedy(spec: dict[str, Any], sentence: str) -> None:
    assert refused(**spec) == sentence


def test_a_rule_across_fields_names_them_itself() -> None:
    assert refused(verification={"audio": {"configMapKeyRef": {"name": "clip", "key": "wav"}}}) == (
        "spec.verification.audio and spec.verification.expect need each other: add the missing one, or remove both"
    )


def test_every_mistake_has_a_sentence() -> None:
    assert refused(replicas="2", language="Englsh").count("; ") >= 1
    assert "spec.replicas: " in refused(replicas="2", language="Englsh")
    assert "spec.language: 'Englsh'" in refused(replicas="2", language="Englsh")
