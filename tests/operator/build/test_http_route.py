"""The HTTPRoute of the Gateway API."""

from __future__ import annotations

from tests.operator.samples import children, one, service
from whisper_operator.objects.kinds import CHILD_KINDS, HTTP_ROUTE
from whisper_operator.observe.installation import Installation

WANTED = service(
    gateway={"parentRefs": [{"name": "public"}], "hostnames": ["a.example.com"]},
    server={"requestTimeout": "90s"},
    service={"port": 8080},
)


def test_it_leads_to_the_service_within_the_servers_time_for_the_upload_and_the_work() -> None:
    found = one(children(WANTED), "HTTPRoute")["spec"]
    assert (found["parentRefs"], found["hostnames"]) == ([{"name": "public"}], ["a.example.com"])
    (rule,) = found["rules"]
    assert rule["backendRefs"] == [{"name": "speech", "port": 8080}]
    assert rule["timeouts"] == {"request": "3m15s", "backendRequest": "3m15s"}


def test_a_cluster_without_the_api_gets_none() -> None:
    without = Installation("runtime:1", frozenset(CHILD_KINDS) - {HTTP_ROUTE})
    assert "HTTPRoute" not in [body["kind"] for body in children(WANTED, None, without)]
