"""The alerts of a service; their expressions run in tests/chart/test_service_alerts.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.build.alert import Alert
from whisper_operator.build.alerts import alerts


def alert(name: str, **spec: Any) -> Alert:
    return next(one for one in alerts(service(**spec)) if one.name == name)


@pytest.mark.parametrize(
    ("spec", "is_watched"),
    [({}, True), ({"replicas": 0}, False), ({"suspend": True}, False), ({"replicas": 0, "autoscaling": {}}, True)],
)
def test_a_service_that_wants_no_pod_is_never_down(spec: dict[str, Any], is_watched: bool) -> None:
    assert ("WhisperServiceDown" in [one.name for one in alerts(service(**spec))]) is is_watched


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"monitoring": {"serviceMonitor": {}}}, True),
        ({}, False),
        (
            {
                "monitoring": {"serviceMonitor": {}},
                "autoscaling": {"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}},
            },
            False,
        ),
    ],
    ids=["scraped by our own monitor", "scraped by others", "scaled to zero"],
)
def test_a_lack_of_series_counts_where_pods_and_scraping_are_sure(spec: dict[str, Any], counts: bool) -> None:
    assert ("vector(0)" in alert("WhisperServiceDown", **spec).expression) is counts


def test_limits_follow_the_spec() -> None:
    assert alert("WhisperReplicaNotReady", rollout={"drainTimeout": "1h"}).lasting == "65m"
    assert alert("WhisperReplicaNotReady").lasting == "15m"
    assert alert("WhisperWaitTooLong", server={"requestTimeout": "10m"}).expression.endswith("> 480")


def test_every_expression_is_about_this_service_alone() -> None:
    for one in alerts(service(jobs={})):
        assert 'namespace="team"' in one.expression
        assert "speech" in one.expression
