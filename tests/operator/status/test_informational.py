"""Conditions that inform and never block Ready."""

from __future__ import annotations

import pytest

from tests.operator.samples import (
    children,
    live,
    one,
    service,
)
from tests.operator.statuses import all_of, conditions, status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.installation import Installation


def test_a_newer_default_image_is_told() -> None:
    found = status(service({"image": "runtime:1"}), *all_of(service()), installation=Installation("runtime:2"))
    assert conditions(found)["RuntimeUpdateAvailable"] == ("True", "NewerDefaultImage")
    named = service(image={"tag": "1"})
    assert "RuntimeUpdateAvailable" not in conditions(
        status(named, *all_of(named), installation=Installation("runtime:2"))
    )


def test_a_suspended_service_has_nothing_to_scale() -> None:
    """Its autoscaler says `ScalingDisabled`, which is no trouble and no alert."""
    assert "AutoscalingActive" in conditions(status(service(autoscaling={})))
    assert "AutoscalingActive" not in conditions(status(service(autoscaling={}, suspend=True)))


def test_nothing_wakes_what_keda_has_scaled_to_zero() -> None:
    """Its Prometheus knows of waiting audio by the pods alone, and none is left."""
    wanted = service(autoscaling={"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}})
    keda = {"kind": "ScaledObject", "metadata": {"name": "speech"}}
    active = {**keda, "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "ScaledObjectReady"}]}}
    told = {one.type: one for one in status(wanted, active).conditions}["AutoscalingActive"]
    assert (told.status, told.reason) == ("False", "NothingWakes")


def test_a_trigger_of_the_users_own_wakes_it() -> None:
    cron = {"name": "day", "type": "cron", "metadata": {}}
    wanted = service(autoscaling={"minReplicas": 0, "keda": {"triggers": [cron]}})
    active = {"type": "Ready", "status": "True", "reason": "ScaledObjectReady"}
    keda = {"kind": "ScaledObject", "metadata": {"name": "speech"}, "status": {"conditions": [active]}}
    assert conditions(status(wanted, keda))["AutoscalingActive"] == ("True", "ScaledObjectReady")


ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted"}


UNRESOLVED = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "no such Service"}


@pytest.mark.parametrize(
    ("parents", "exposed"),
    [
        ([], ("False", "RoutePending")),
        ([{"conditions": []}], ("False", "RoutePending")),
        ([{"conditions": [ACCEPTED]}], ("True", "RouteAccepted")),
        ([{"conditions": [ACCEPTED, UNRESOLVED]}], ("False", "BackendNotFound")),
    ],
)
def test_a_route_is_a_way_in_once_every_gateway_has_taken_it(parents: list[Manifest], exposed: tuple[str, str]) -> None:
    wanted = service(gateway={"parentRefs": [{"name": "g"}], "hostnames": ["a.example.com"]})
    route = live(one(children(wanted), "HTTPRoute"), status={"parents": parents})
    assert conditions(status(wanted, route))["Exposed"] == exposed
