"""The PrometheusRule: wanted once there is a model to serve, with the user's labels and a runbook for each alert."""

from __future__ import annotations

from tests.operator.samples import ENV, children, claim, fetched, observed, one, service
from whisper_operator.build.prometheus_rule import RUNBOOKS, rules

WANTED = service(monitoring={"alerts": {"labels": {"release": "prometheus", "app.kubernetes.io/name": "mine"}}})


def test_a_service_whose_first_model_is_fetched_is_not_down() -> None:
    its_claim = claim(WANTED)
    assert "PrometheusRule" not in [body["kind"] for body in children(WANTED, observed(its_claim))]
    assert one(children(WANTED, observed(its_claim, fetched(WANTED, its_claim))), "PrometheusRule")


def test_the_users_labels_are_added_and_ours_stay() -> None:
    there = observed(claim(WANTED), fetched(WANTED, claim(WANTED)))
    labels = one(children(WANTED, there, ENV), "PrometheusRule")["metadata"]["labels"]
    assert (labels["release"], labels["app.kubernetes.io/name"]) == ("prometheus", "whisper")


def test_a_rule_names_its_service_and_its_runbook() -> None:
    for rule in rules(WANTED):
        assert rule["labels"]["whisperservice"] == "speech"
        assert rule["annotations"]["summary"].startswith("WhisperService team/speech: ")
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}/{rule['alert']}.md"


def test_each_alert_has_the_users_labels_and_keeps_its_own() -> None:
    labels = {"team": "speech", "severity": "none"}
    for rule in rules(service(monitoring={"alerts": {"alertLabels": labels}})):
        assert rule["labels"]["team"] == "speech"
        assert rule["labels"]["severity"] != "none"
