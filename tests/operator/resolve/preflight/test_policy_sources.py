"""What an author may not name in a source, of a model or of a speaker encoder."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy import violations

SOURCES = {"spec.model.source": ("model",), "spec.diarization.model.source": ("diarization", "model")}
HELD = {"urlSecretKeyRef": {"name": "presigned", "key": "url"}}
of_each = pytest.mark.parametrize("field", SOURCES)


def told(field: str, source: dict[str, Any], **policy: Any) -> list[str]:
    spec: dict[str, Any] = {"source": source}
    for name in reversed(SOURCES[field]):
        spec = {name: spec}
    everything = {"sourceUrls": ["*"], "secrets": ["*"], "credentialUrls": ["*"], "claims": ["*"]}
    given = Policy.model_validate({**everything, **policy})
    return violations({"model": {"name": "base"}, **spec}, "speech", "team", given)


@of_each
@pytest.mark.parametrize(
    ("source", "policy", "says"),
    [
        ({"url": "https://a/x", "secretRef": {"name": "admin"}}, {"secrets": ["own"]}, ".secretRef.name 'admin'"),
        ({"url": "https://a/x?q", "secretRef": {"name": "own"}}, {"credentialUrls": ["https://b*"]},
         ".secretRef.name 'own' for 'https://a/x'"),
        ({"url": "https://a/x"}, {"sourceUrls": ["https://b*"]}, ".url 'https://a/x'"),
        ({"url": "s3://a/x", "endpoint": "https://a"}, {"sourceUrls": ["s3*"]}, ".endpoint 'https://a'"),
        (HELD, {"secrets": ["own"]}, ".urlSecretKeyRef.name 'presigned'"),
        (HELD, {"sourceUrls": ["https://b*"]}, ".urlSecretKeyRef.name 'presigned'"),
        ({"url": "pvc://database/x"}, {"claims": ["own"]}, ".url 'pvc://database/x'"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_named_with_its_field(
    field: str, source: dict[str, Any], policy: dict[str, Any], says: str
) -> None:
    [sentence] = told(field, source, **policy)
    assert sentence.startswith(f"{field}{says}: not allowed by policy.{next(iter(policy))} ")


@of_each
def test_what_is_allowed_is_not_told(field: str) -> None:
    assert told(field, {"url": "https://a/x", "secretRef": {"name": "own"}}, secrets=["own"]) == []
    assert told(field, HELD) == told(field, {"url": "pvc://own/x"}, claims=["own"]) == []
