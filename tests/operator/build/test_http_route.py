"""The HTTPRoute of the Gateway API."""

from __future__ import annotations

from tests.operator.samples import ENV, children, one, service
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


GATEWAY = {"parentRefs": [{"name": "public"}], "hostnames": ["a.example.com"]}


def test_a_path_is_a_match_and_a_prefix_of_the_pods() -> None:
    wanted = service(gateway={**GATEWAY, "path": "/speech/"}, cache={"type": "EmptyDir"})
    (rule,) = one(children(wanted), "HTTPRoute")["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/speech"}}]
    env = one(children(wanted), "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "WHISPER_BASE_PATH", "value": "/speech"} in env


def test_matches_filters_labels_and_annotations_are_the_users() -> None:
    matches, filters = [{"method": "POST"}], [{"type": "URLRewrite", "urlRewrite": {"hostname": "speech"}}]
    more = {"matches": matches, "filters": filters, "labels": {"team": "a"}, "annotations": {"example.com/a": "b"}}
    found = one(children(service(gateway={**GATEWAY, **more})), "HTTPRoute")
    (rule,) = found["spec"]["rules"]
    assert (rule["matches"], rule["filters"]) == (matches, filters)
    assert (found["metadata"]["labels"]["team"], found["metadata"]["annotations"]["example.com/a"]) == ("a", "b")


def test_a_cluster_or_a_spec_without_timeouts_gets_none() -> None:
    older = Installation("runtime:1", has_route_timeouts=False)
    for wanted, installation in ((WANTED, older), (service(gateway={**GATEWAY, "timeouts": False}), ENV)):
        (rule,) = one(children(wanted, None, installation), "HTTPRoute")["spec"]["rules"]
        assert "timeouts" not in rule
