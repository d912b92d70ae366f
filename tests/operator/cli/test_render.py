"""`render`: every child of a service, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import ENV, service
from whisper_operator.cli.render import rendered


def kinds(**spec: Any) -> list[str]:
    return [body["kind"] for body in rendered(service(**spec), ENV)]


@pytest.mark.parametrize(
    ("spec", "there", "absent"),
    [
        ({}, {"PersistentVolumeClaim", "Job", "Deployment"}, set[str]()),
        ({"cache": {"existingClaim": "shared"}}, {"Job", "Deployment"}, {"PersistentVolumeClaim"}),
        ({"cache": {"type": "Image"}}, {"Deployment"}, {"PersistentVolumeClaim", "Job"}),
        ({"model": {"name": "base", "source": {"url": "oci://r/m:v1", "sha256": "a" * 64}},
          "cache": {"type": "ImageVolume"}}, {"Deployment"}, {"PersistentVolumeClaim", "Job"}),
        ({"autoscaling": {"keda": {}}}, {"ScaledObject", "Deployment"}, {"HorizontalPodAutoscaler"}),
    ],
)  # fmt: skip
def test_the_children_are_those_of_a_service_whose_model_is_fetched(
    spec: dict[str, Any], there: set[str], absent: set[str]
) -> None:
    found = set(kinds(**spec))
    assert there <= found
    assert not absent & found
