"""KEDA's ScaledObject."""

from __future__ import annotations

from tests.operator.samples import ENV, children, deployment, observed, service
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.observed import Observed

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def kinds(of: object, there: Observed, env: Installation = ENV) -> list[str]:
    return [body["kind"] for body in children(of, there, env)]  # type: ignore[arg-type]


def test_keda_is_told_of_a_deployment_that_is_there() -> None:
    """Its admission refuses one that is not."""
    scaled = service(autoscaling={"keda": {}}, **EMPTY_DIR)
    assert "ScaledObject" not in kinds(scaled, observed())
    assert "ScaledObject" in kinds(scaled, observed(deployment(scaled)))
