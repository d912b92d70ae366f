"""The pods that do not serve: their resources, and the fetch of the model."""

from __future__ import annotations

from tests.operator.api.specs import accepted, manifest, refused
from whisper_operator.api.spec.jobs import JobResourcesSpec, PrefetchSpec


def test_a_fetch_is_the_operators_unless_the_spec_says_otherwise() -> None:
    assert manifest(PrefetchSpec()) == {"resources": None, "caConfigMapKeyRef": None, "podTemplate": None}
    assert manifest(JobResourcesSpec()) == {"requests": {}, "limits": {}}


def test_a_request_is_at_most_the_limit() -> None:
    accepted(prefetch={"resources": {"requests": {"cpu": 1}, "limits": {"cpu": "1000m"}}})
    assert refused(prefetch={"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1"}}}) == (
        "spec.prefetch.resources: requests exceed limits: lower the request or raise the limit"
    )
    assert refused(verification={"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}) == (
        "spec.verification.resources: requests exceed limits: lower the request or raise the limit"
    )
