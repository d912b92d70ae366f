"""KEDA's ScaledObject."""

from __future__ import annotations

from tests.operator.samples import deployment, kinds, observed, service

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def test_keda_is_told_of_a_deployment_that_is_there() -> None:
    """Its admission refuses one that is not."""
    scaled = service(autoscaling={"keda": {}}, **EMPTY_DIR)
    assert "ScaledObject" not in kinds(scaled, observed())
    assert "ScaledObject" in kinds(scaled, observed(deployment(scaled)))
