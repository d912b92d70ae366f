"""The ServiceMonitor."""

from __future__ import annotations

from tests.operator.samples import children, kinds, observed, one, service
from whisper_operator.objects.kinds import CHILD_KINDS, SERVICE_MONITOR
from whisper_operator.observe.installation import Installation

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}


def test_a_service_monitor_only_where_its_api_is() -> None:
    wanted = service(monitoring={"serviceMonitor": {}}, **EMPTY_DIR)
    assert "ServiceMonitor" in kinds(wanted, observed())
    without = Installation("runtime:1", frozenset(CHILD_KINDS) - {SERVICE_MONITOR})
    assert "ServiceMonitor" not in kinds(wanted, observed(), without)


def test_the_services_of_pods_that_serve_and_of_a_front_are_selected() -> None:
    for front, of_all in ((None, False), ({}, True)):
        wanted = service(monitoring={"serviceMonitor": {}}, front=front, **EMPTY_DIR)
        there = children(wanted)
        selector = one(there, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
        named = [
            body["metadata"]["name"]
            for body in there
            if body["kind"] == "Service"
            and selector <= body["metadata"]["labels"].items()
            and any(port["name"] == "metrics" for port in body["spec"]["ports"])
        ]
        assert named == ["speech-metrics", *(["speech-front-metrics"] if of_all else [])]


def test_the_endpoint_is_as_the_spec_has_it() -> None:
    relabelings = [{"targetLabel": "team", "replacement": "speech"}]
    dropped = [{"action": "drop", "sourceLabels": ["__name__"], "regex": "python_.*"}]
    monitor = {
        "interval": "90s1m",
        "scrapeTimeout": "20s",
        "relabelings": relabelings,
        "metricRelabelings": dropped,
    }
    (endpoint,) = one(children(service(monitoring={"serviceMonitor": monitor})), "ServiceMonitor")["spec"]["endpoints"]
    assert (endpoint["interval"], endpoint["scrapeTimeout"]) == ("2m30s", "20s")
    assert (endpoint["relabelings"], endpoint["metricRelabelings"]) == (relabelings, dropped)
