"""The evidence: metrics and alerts, the verification of rollouts, and logs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import (
    accepted,
    assert_choices,
    assert_longest,
    entries,
    letters,
    manifest,
    objects,
    refused,
    setting,
)
from whisper_operator.api.spec.observability import (
    AlertsSpec,
    LoggingSpec,
    MonitoringSpec,
    ServiceMonitorSpec,
    VerificationExpectSpec,
    VerificationSpec,
)

RECORDING = {"audio": {"configMapKeyRef": {"name": "clip", "key": "speech.wav"}}}
TEXT = {"expect": {"text": "and so my fellow americans"}}


def test_nothing_is_made_for_prometheus_unless_the_spec_asks_for_it() -> None:
    assert manifest(MonitoringSpec()) == {"serviceMonitor": None, "alerts": None}


def test_metrics_are_scraped_every_thirty_seconds_unless_the_spec_says_otherwise() -> None:
    assert manifest(ServiceMonitorSpec()) == {
        "interval": "30s",
        "labels": {},
        "scrapeTimeout": None,
        "relabelings": [],
        "metricRelabelings": [],
    }


def test_a_scrape_ends_before_the_next_begins() -> None:
    accepted(monitoring={"serviceMonitor": {"interval": "1m", "scrapeTimeout": "60s"}})
    assert refused(monitoring={"serviceMonitor": {"scrapeTimeout": "31s"}}).startswith(
        "spec.monitoring.serviceMonitor.scrapeTimeout is longer than interval, which Prometheus refuses"
    )


@pytest.mark.parametrize("field", ["relabelings", "metricRelabelings"])
def test_a_monitor_has_at_most_32_relabelings(field: str) -> None:
    assert_longest(f"monitoring.serviceMonitor.{field}", 32, objects)


def test_a_label_of_alerts_is_one_of_prometheus() -> None:
    accepted(monitoring={"alerts": {"alertLabels": {"team": "speech"}}})
    assert refused(monitoring={"alerts": {"alertLabels": {"example.com/team": "speech"}}}).startswith(
        "spec.monitoring.alerts.alertLabels has a name that Prometheus does not take"
    )


def test_alerts_have_no_label_unless_the_spec_gives_one() -> None:
    assert manifest(AlertsSpec()) == {"labels": {}, "alertLabels": {}}


def test_a_rollout_is_verified_by_the_images_own_recording_where_the_spec_names_none() -> None:
    assert manifest(VerificationSpec()) == {
        "enabled": True,
        "audio": None,
        "expect": None,
        "resources": None,
        "podTemplate": None,
    }


def test_a_tenth_of_the_words_may_be_wrong_unless_the_spec_says_otherwise() -> None:
    assert manifest(VerificationExpectSpec(text="yes")) == {"text": "yes", "language": None, "maxWordErrorRate": 0.1}


def test_logs_are_json_from_info_on_unless_the_spec_says_otherwise() -> None:
    assert manifest(LoggingSpec()) == {"level": "info", "format": "json"}


@pytest.mark.parametrize(
    ("field", "choices"),
    [("logging.level", ("debug", "info", "warning", "error")), ("logging.format", ("json", "text"))],
)
def test_a_field_has_these_choices(field: str, choices: tuple[str, ...]) -> None:
    assert_choices(field, *choices)


@pytest.mark.parametrize("field", ["monitoring.serviceMonitor.labels", "monitoring.alerts.labels"])
def test_labels_are_bounded(field: str) -> None:
    assert_longest(field, 56, entries)


def test_an_interval_that_is_not_a_duration_is_refused() -> None:
    assert refused(**setting("monitoring.serviceMonitor.interval", "often")) == (
        "spec.monitoring.serviceMonitor.interval: 'often' is not a valid duration; for example 30s, 10m or 1h30m"
    )


def expecting(**expect: Any) -> dict[str, Any]:
    return {"verification": {**RECORDING, "expect": {**TEXT["expect"], **expect}}}


@pytest.mark.parametrize("rate", [0, 0.5, 1])
def test_a_share_of_the_words_is_from_0_to_1(rate: float) -> None:
    accepted(**expecting(maxWordErrorRate=rate))


@pytest.mark.parametrize(
    ("expect", "sentence"),
    [
        ({"maxWordErrorRate": -0.01}, "maxWordErrorRate: Input should be greater than or equal to 0"),
        ({"maxWordErrorRate": 1.01}, "maxWordErrorRate: Input should be less than or equal to 1"),
        ({"text": ""}, "text: String should have at least 1 character"),
        ({"text": letters(4097)}, "text: String should have at most 4096 characters"),
    ],
    ids=["a rate below 0", "a rate above 1", "no text", "a text that is too long"],
)
def test_an_expectation_beyond_its_bounds_is_refused(expect: dict[str, Any], sentence: str) -> None:
    assert refused(**expecting(**expect)) == f"spec.verification.expect.{sentence}"


@pytest.mark.parametrize("length", [1, 4096])
def test_a_text_is_accepted_at_its_bounds(length: int) -> None:
    accepted(**expecting(text=letters(length)))


@pytest.mark.parametrize("verification", [{}, RECORDING | TEXT], ids=["neither", "both"])
def test_a_recording_and_its_text_come_together(verification: dict[str, Any]) -> None:
    accepted(verification=verification)


@pytest.mark.parametrize("verification", [RECORDING, TEXT], ids=["no text", "no recording"])
def test_a_recording_or_a_text_alone_is_refused(verification: dict[str, Any]) -> None:
    assert refused(verification=verification) == (
        "spec.verification.audio and spec.verification.expect need each other: add the missing one, or remove both"
    )
