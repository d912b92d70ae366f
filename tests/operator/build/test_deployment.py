"""The Deployment: its number of pods, and its template while the installation changes."""

from __future__ import annotations

from tests.operator.samples import children, one, service

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def test_with_an_autoscaler_the_number_is_its_own() -> None:
    found = one(children(service(autoscaling={}, **EMPTY_DIR)), "Deployment")
    assert "replicas" not in found["spec"]
    suspended = one(children(service(autoscaling={}, suspend=True, **EMPTY_DIR)), "Deployment")
    assert suspended["spec"]["replicas"] == 0
