"""How clients come to a service, on a real API server: Services, Ingresses, HTTPRoutes, and what the status says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from testbed.cluster import crds
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.optional_apis import install
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import awaited, eventually

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

Says = Callable[[dict[str, Any]], bool]
CANARY = {"nginx.ingress.kubernetes.io/canary": "true"}


def spec_of(namespace: Kubectl, kind: str, name: str = "speech") -> dict[str, Any]:
    """The spec of that child; empty where it is not there."""
    return (namespace.get(kind, name) or {}).get("spec", {})


def eventually_spec(namespace: Kubectl, kind: str, says: Says, name: str = "speech") -> None:
    eventually(f"{kind}/{name} is so", lambda: says(spec_of(namespace, kind, name)))


def url(namespace: Kubectl, name: str = "speech") -> str:
    return ((namespace.get("wsvc", name) or {}).get("status") or {}).get("url", "")


def is_done(namespace: Kubectl, name: str = "speech") -> bool:
    """Whether the operator has judged the newest generation of the spec."""
    body = namespace.get("wsvc", name) or {"metadata": {}}
    return body.get("status", {}).get("observedGeneration") == body["metadata"].get("generation")


BALANCED = {
    "type": "LoadBalancer",
    "loadBalancerClass": "example.com/nlb",
    "loadBalancerSourceRanges": ["192.0.2.0/24"],
    "externalTrafficPolicy": "Local",
    "nodePort": 30123,
    "ipFamilyPolicy": "SingleStack",
    "labels": {"team": "speech"},
}


def test_a_service_is_a_load_balancer_and_is_none_again(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, service=BALANCED))
    eventually_spec(namespace, "service", lambda spec: spec.get("type") == "LoadBalancer")
    found = namespace.get("service", "speech")
    assert found is not None
    assert found["metadata"]["labels"]["team"] == "speech"
    assert found["spec"]["ports"][0]["nodePort"] == 30123
    same = ("loadBalancerClass", "loadBalancerSourceRanges", "externalTrafficPolicy", "ipFamilyPolicy")
    assert {name: found["spec"][name] for name in same} == {name: BALANCED[name] for name in same}
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually_spec(namespace, "service", lambda spec: spec.get("type") == "ClusterIP")
    eventually("it is judged", lambda: is_done(namespace))
    left = spec_of(namespace, "service")
    assert not left.keys() & {"loadBalancerClass", "loadBalancerSourceRanges", "externalTrafficPolicy"}
    assert "nodePort" not in left["ports"][0]
    assert reason(namespace, "speech", "Stalled") == ""


def test_a_class_that_kubernetes_does_not_change_is_refused_by_its_field(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, service={"type": "LoadBalancer", "loadBalancerClass": "a.io/one"}))
    eventually_spec(namespace, "service", lambda spec: spec.get("loadBalancerClass") == "a.io/one")
    for another in ("a.io/two", None):
        with pytest.raises(KubectlError, match="loadBalancerClass cannot change while"):
            patch(namespace, "speech", {"service": {"loadBalancerClass": another}})
    patch(namespace, "speech", {"service": {"type": "ClusterIP", "loadBalancerClass": None}})
    eventually_spec(namespace, "service", lambda spec: spec.get("type") == "ClusterIP")
    patch(namespace, "speech", {"service": {"type": "LoadBalancer", "loadBalancerClass": "a.io/two"}})
    eventually_spec(namespace, "service", lambda spec: spec.get("loadBalancerClass") == "a.io/two")


def test_a_port_that_the_cluster_does_not_have_is_told_and_costs_nothing_else(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually_spec(namespace, "service", bool)
    patch(namespace, "speech", {"service": {"type": "NodePort", "nodePort": 80}, "replicas": 2})
    eventually("it is told", lambda: reason(namespace, "speech", "Exposed") == "Rejected")
    assert "80" in namespace.condition("speech", "Exposed")["message"]
    eventually_spec(namespace, "deployment", lambda spec: spec["replicas"] == 2)


def test_two_families_in_a_cluster_of_one_are_told(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, service={"ipFamilyPolicy": "RequireDualStack"}))
    eventually("it is told", lambda: reason(namespace, "speech", "Exposed") == "Rejected")
    patch(namespace, "speech", {"service": {"ipFamilyPolicy": "PreferDualStack"}})
    for name in ("speech", "speech-metrics"):
        eventually_spec(namespace, "service", lambda spec: spec.get("ipFamilyPolicy") == "PreferDualStack", name)


def test_an_ingress_has_every_host_and_path(namespace: Kubectl) -> None:
    first, second = (f"{name}.{namespace.namespace}.example.com" for name in ("a", "b"))
    more = [{"path": "/v1/models", "pathType": "Exact"}]
    ingress = {"host": first, "additionalHosts": [second], "additionalPaths": more, "labels": {"router": "internal"}}
    namespace.apply(service("speech", **EMPTY_DIR, ingress={**ingress, "tls": {}}))
    found = awaited("it is there", lambda: namespace.get("ingress", "speech"))
    assert found["metadata"]["labels"]["router"] == "internal"
    assert [rule["host"] for rule in found["spec"]["rules"]] == [first, second]
    for rule in found["spec"]["rules"]:
        paths = [(one["path"], one["pathType"]) for one in rule["http"]["paths"]]
        assert paths == [("/", "Prefix"), ("/v1/models", "Exact")]
    assert found["spec"]["tls"] == [{"hosts": [first, second]}]
    eventually("its address is told", lambda: url(namespace) == f"https://{first}")
    namespace.apply(service("speech", **EMPTY_DIR, ingress={"host": first}))
    eventually_spec(namespace, "ingress", lambda spec: len(spec["rules"]) == 1 and "tls" not in spec)


def test_each_host_of_an_ingress_is_looked_for(kubectl: Kubectl, namespace: Kubectl) -> None:
    first, second = (f"{name}.{namespace.namespace}.example.com" for name in ("a", "b"))
    other = kubectl.within("default")
    other("create", "ingress", f"web-{namespace.namespace}", f"--rule={second}/=web:80")
    eventually("theirs is known", lambda: other.get("ingress", f"web-{namespace.namespace}"))
    namespace.apply(service("speech", **EMPTY_DIR, ingress={"host": first, "additionalHosts": [second]}))
    eventually("it is told", lambda: reason(namespace, "speech", "PreflightPassed") == "HostTaken")
    message = namespace.condition("speech", "PreflightPassed")["message"]
    assert f"spec.ingress.additionalHosts {second} with path / is taken by an Ingress of another namespace" in message
    assert namespace.get("ingress", "speech") is None
    other("delete", "ingress", f"web-{namespace.namespace}")
    eventually_spec(namespace, "ingress", bool)


@pytest.mark.parametrize("gives_up", [{"host": "{}.elsewhere.example.com"}, None], ids=["moves", "is taken back"])
def test_a_host_that_another_service_gives_up_is_free(namespace: Kubectl, gives_up: dict[str, str] | None) -> None:
    """What wakes the second is the answer to the first one's own write: the watch shows nothing newer."""
    host = f"{namespace.namespace}.example.com"
    namespace.apply(service("first", **EMPTY_DIR, ingress={"host": host}))
    eventually_spec(namespace, "ingress", bool, "first")
    namespace.apply(service("second", **EMPTY_DIR, ingress={"host": host}))
    eventually("it is told", lambda: reason(namespace, "second", "Exposed") == "HostTaken")
    moved = {name: value.format(namespace.namespace) for name, value in gives_up.items()} if gives_up else None
    patch(namespace, "first", {"ingress": moved})
    eventually_spec(namespace, "ingress", bool, "second")
    eventually("it is told", lambda: reason(namespace, "second", "PreflightPassed") == "ChecksPassed")


def test_a_canary_shares_the_host_of_the_service_beside_it(namespace: Kubectl) -> None:
    host = f"{namespace.namespace}.example.com"
    namespace.apply(service("stable", **EMPTY_DIR, ingress={"className": "nginx", "host": host}))
    eventually_spec(namespace, "ingress", bool, "stable")
    ingress = {"className": "nginx", "host": host, "annotations": CANARY}
    namespace.apply(service("canary", **EMPTY_DIR, ingress=ingress))
    eventually_spec(namespace, "ingress", bool, "canary")
    for name in ("stable", "canary"):
        eventually(f"{name} is judged", lambda name=name: is_done(namespace, name))
        assert reason(namespace, name, "PreflightPassed") != "HostTaken"


def test_another_canary_takes_no_host(namespace: Kubectl) -> None:
    host = f"{namespace.namespace}.example.com"
    namespace("create", "ingress", "guest", f"--rule={host}/=web:80", "--annotation=" + "=".join(*CANARY.items()))
    eventually("it is known", lambda: namespace.get("ingress", "guest"))
    namespace.apply(service("speech", **EMPTY_DIR, ingress={"host": host}))
    eventually_spec(namespace, "ingress", bool)


def test_a_certificate_that_is_being_issued_stalls_nothing(namespace: Kubectl) -> None:
    host = f"{namespace.namespace}.example.com"
    tls = {"secretName": "speech-cert"}
    namespace.apply(
        service("speech", **EMPTY_DIR, ingress={"host": host, "tls": {**tls, "issuerRef": {"name": "ours"}}}),
        service("other", **EMPTY_DIR, ingress={"host": f"b.{host}", "tls": tls, "annotations": {ISSUER: "ours"}}),
    )
    for name in ("speech", "other"):
        found = awaited(f"the Ingress of {name} is there", lambda name=name: namespace.get("ingress", name))
        assert found["metadata"]["annotations"][ISSUER] == "ours"
        eventually(f"{name} is judged", lambda name=name: is_done(namespace, name))
        assert namespace.condition(name, "PreflightPassed")["status"] == "True"
        assert namespace.condition(name, "Stalled") == {}


ISSUER = "cert-manager.io/issuer"


def test_an_address_says_https_where_a_controller_takes_it_by_an_annotation(namespace: Kubectl) -> None:
    host = f"{namespace.namespace}.example.com"
    annotations = {"networking.gke.io/managed-certificates": "speech"}
    namespace.apply(service("speech", **EMPTY_DIR, ingress={"host": host, "annotations": annotations}))
    eventually("its address is told", lambda: url(namespace) == f"https://{host}")


def test_an_address_behind_a_gateway_is_its_listeners(namespace: Kubectl) -> None:
    host = f"{namespace.namespace}.example.com"
    listeners = [{"name": "http", "protocol": "HTTP", "port": 8080}]
    namespace.apply(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "own"},
            "spec": {"gatewayClassName": "example", "listeners": listeners},
        }
    )
    gateway = {"parentRefs": [{"name": "own"}], "hostnames": [host], "path": "/speech"}
    namespace.apply(service("speech", **EMPTY_DIR, gateway=gateway))
    eventually("its address is told", lambda: url(namespace) == f"http://{host}:8080/speech")


def test_a_route_is_as_the_spec_has_it(namespace: Kubectl) -> None:
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-team", "value": "a"}]}}]
    gateway = {
        "parentRefs": [{"name": "own"}],
        "hostnames": [f"{namespace.namespace}.example.com"],
        "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}, "method": "POST"}],
        "filters": filters,
        "labels": {"team": "speech"},
        "annotations": {"example.com/team": "speech"},
        "timeouts": False,
    }
    namespace.apply(service("speech", **EMPTY_DIR, gateway=gateway))
    found = awaited("it is there", lambda: namespace.get("httproute", "speech"))
    (rule,) = found["spec"]["rules"]
    assert (rule["matches"], rule["filters"]) == (gateway["matches"], filters)
    assert "timeouts" not in rule
    assert found["metadata"]["labels"]["team"] == "speech"
    assert found["metadata"]["annotations"]["example.com/team"] == "speech"


def test_a_route_leaves_timeouts_out_while_the_clusters_api_is_older_than_they_are(
    kubectl: Kubectl, namespace: Kubectl
) -> None:
    """Timeouts are Standard since Gateway API 1.2; an apply of a field that is not there is a 500."""
    (file, *_) = crds.ensure(crds.GATEWAY_API)
    older = yaml.safe_load(file.read_text())
    for version in older["spec"]["versions"]:
        rules = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["rules"]
        del rules["items"]["properties"]["timeouts"]
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(older))
    gateway = {"parentRefs": [{"name": "own"}], "hostnames": [f"{namespace.namespace}.example.com"]}
    namespace.apply(service("speech", **EMPTY_DIR, gateway=gateway))
    eventually_spec(namespace, "httproute", lambda spec: bool(spec) and "timeouts" not in spec["rules"][0])
    eventually("the route is not refused", lambda: reason(namespace, "speech", "Exposed") == "RoutePending")
    install(kubectl, [file])
    eventually_spec(namespace, "httproute", lambda spec: "timeouts" in spec["rules"][0])


def test_a_monitor_and_alerts_are_as_the_spec_has_them(namespace: Kubectl) -> None:
    relabelings = [{"targetLabel": "team", "replacement": "speech"}]
    monitor = {"scrapeTimeout": "20s", "relabelings": relabelings, "metricRelabelings": relabelings}
    monitoring = {"serviceMonitor": monitor, "alerts": {"alertLabels": {"team": "speech"}}}
    namespace.apply(service("speech", **EMPTY_DIR, monitoring=monitoring))
    eventually_spec(namespace, "servicemonitor", bool)
    (endpoint,) = spec_of(namespace, "servicemonitor")["endpoints"]
    assert endpoint["scrapeTimeout"] == "20s"
    for field in ("relabelings", "metricRelabelings"):
        assert endpoint[field][0]["targetLabel"] == "team"
    eventually_spec(namespace, "prometheusrule", bool)
    rules = spec_of(namespace, "prometheusrule")["groups"][0]["rules"]
    assert {rule["labels"]["team"] for rule in rules} == {"speech"}


def test_a_claim_has_the_labels_by_which_backups_select_it(namespace: Kubectl) -> None:
    cache = {"labels": {"backup": "weekly"}, "annotations": {"k8up.io/backup": "false"}}
    namespace.apply(service("speech", cache=cache))
    eventually("the claim is there", lambda: namespace.get("pvc", "speech-models"))
    patch(namespace, "speech", {"cache": {"labels": {"backup": "daily"}}})

    def labels() -> dict[str, str]:
        return (namespace.get("pvc", "speech-models") or {"metadata": {}})["metadata"].get("labels", {})

    eventually("a change reaches it", lambda: labels().get("backup") == "daily")


def test_a_limit_that_counts_all_clients_as_one_is_told(namespace: Kubectl) -> None:
    ingress = {"host": f"{namespace.namespace}.example.com"}
    namespace.apply(service("speech", **EMPTY_DIR, ingress=ingress, rateLimit={}))
    eventually("it is told", lambda: reason(namespace, "speech", "ClientsToldApart") == "OneAddressForAll")
    patch(namespace, "speech", {"server": {"trustedProxies": ["10.0.0.0/8"]}})
    eventually("it is told no more", lambda: namespace.condition("speech", "ClientsToldApart") == {})


def test_an_empty_network_policy_shuts_no_client_out(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, networkPolicy={"allowTo": [{"to": [{"podSelector": {}}]}]}))
    eventually_spec(namespace, "networkpolicy", bool)
    clients, _ = spec_of(namespace, "networkpolicy")["ingress"]
    assert clients == {"ports": [{"protocol": "TCP", "port": 8000}]}
    patch(namespace, "speech", {"networkPolicy": {"allowFrom": []}})
    eventually_spec(namespace, "networkpolicy", lambda spec: len(spec["ingress"]) == 1)


@pytest.mark.parametrize(("first", "second"), [("a", "a-metrics"), ("a-metrics", "a")])
def test_two_services_whose_children_would_have_one_name(namespace: Kubectl, first: str, second: str) -> None:
    """The Service for the metrics of `a` has the name of the Service for the clients of `a-metrics`."""
    namespace.apply(service(first, **EMPTY_DIR))
    eventually("the first has it", lambda: namespace.get("service", "a-metrics"))
    namespace.apply(service(second, **EMPTY_DIR))
    eventually("the second is told", lambda: reason(namespace, second, "Stalled") == "NotOwned")
    assert namespace.condition(second, "Stalled")["message"] == (
        f"Service/a-metrics belongs to WhisperService {first}: give one of the two WhisperServices another name"
    )
    eventually("the first is judged", lambda: is_done(namespace, first))
    assert reason(namespace, first, "Stalled") == ""


def test_a_claim_that_a_predecessor_still_uses_is_told_as_such(namespace: Kubectl) -> None:
    namespace.apply(service("speech"))
    eventually("the claim is there", lambda: namespace.get("pvc", "speech-models"))
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    namespace.patch("pvc", "speech-models", hold)
    namespace("delete", "wsvc", "speech")
    namespace.apply(service("speech"))
    says = "still use its claim speech-models: a new one is made afterwards"
    eventually("it is told", lambda: says in namespace.condition("speech", "ModelCached").get("message", ""))
    namespace("patch", "pvc", "speech-models", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')

    def is_new() -> bool:
        claim, owner = namespace.get("pvc", "speech-models"), namespace.get("wsvc", "speech")
        uids = [ref["uid"] for ref in (claim or {"metadata": {}})["metadata"].get("ownerReferences", ())]
        return owner is not None and uids == [owner["metadata"]["uid"]]

    eventually("the new one is there", is_new)
