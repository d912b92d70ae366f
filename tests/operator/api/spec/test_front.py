"""The front: its pods, and the disk for recordings that wait there."""

from __future__ import annotations

from tests.operator.api.specs import accepted, assert_range, manifest, refused
from whisper_operator.api.spec.front import FrontSpec


def test_a_front_has_two_pods_unless_the_spec_says_otherwise() -> None:
    assert manifest(FrontSpec()) == {"replicas": 2, "resources": None, "spool": "10Gi", "nodeSelector": None}
    assert accepted(front={}).front == FrontSpec()
    assert accepted().front is None


def test_the_number_of_its_pods_has_bounds() -> None:
    assert_range("front.replicas", 1, 10)


def test_its_disk_is_a_size() -> None:
    assert refused(front={"spool": "large"}).startswith("spec.front.spool: ")


def test_a_request_is_at_most_the_limit() -> None:
    over = {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}
    assert "requests exceed limits" in refused(front={"resources": over})
