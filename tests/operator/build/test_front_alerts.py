"""The alerts of a service with a front; their expressions run in tests/chart/test_front_alerts.py."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.build.alerts import alerts
from whisper_operator.build.front_alerts import front_alerts


def test_a_service_without_a_front_has_none_of_them() -> None:
    of_front = {one.name for one in front_alerts(service(), FrontSpec())}
    assert of_front
    assert of_front & {one.name for one in alerts(service())} == set()
    for spec in ({"front": {}}, {"autoscaling": {"minReplicas": 0}}):
        assert of_front <= {one.name for one in alerts(service(**spec))}


def test_requests_are_held_for_too_long_once_half_of_their_time_is_over() -> None:
    (held,) = (
        one
        for one in front_alerts(service(server={"requestTimeout": "10m"}), FrontSpec())
        if one.name == "WhisperRequestsHeld"
    )
    assert held.lasting == "5m"
