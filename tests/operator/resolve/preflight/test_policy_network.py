"""What a spec may ask of the network: ports, hosts, certificates, filters and what Prometheus scrapes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.services import service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.policy import Policy
from whisper_operator.resolve.preflight.policy import violations


def found(spec: Manifest, **policy: Any) -> list[str]:
    return violations(service("speech", **spec)["spec"], "speech", "team", Policy.model_validate(policy))


def filtered(*filters: Manifest) -> Manifest:
    return {"gateway": {"parentRefs": [{"name": "own"}], "hostnames": ["a.example.com"], "filters": list(filters)}}


def monitored(**monitor: Any) -> Manifest:
    return {"monitoring": {"serviceMonitor": monitor}}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (filtered({"type": "RequestMirror", "requestMirror": {}}), ["spec.gateway.filters[0].type 'RequestMirror'"]),
        (filtered({"type": "URLRewrite", "extensionRef": {}}), ["spec.gateway.filters[0].extensionRef"]),
        (filtered({"type": "URLRewrite"}, {"urlRewrite": {}}),
         ["spec.gateway.filters[1].type ''", "spec.gateway.filters[1].urlRewrite"]),
        (monitored(relabelings=[{"targetLabel": "__param_target"}]), ["relabelings[0].targetLabel '__param_target'"]),
        (monitored(relabelings=[{}, {"targetLabel": "x${1}"}]), ["relabelings[1].targetLabel 'x${1}'"]),
        (monitored(metricRelabelings=[{"targetLabel": "__name__"}]), ["metricRelabelings[0].targetLabel '__name__'"]),
        (monitored(metricRelabelings=[{"action": "labelmap"}]), ["metricRelabelings[0].action 'labelmap'"]),
        ({"ingress": {"host": "a.example.com", "additionalHosts": ["*.b.example.com"]}},
         ["spec.ingress.additionalHosts[0] '*.b.example.com'"]),
    ],
)  # fmt: skip
def test_what_reaches_others_is_found_by_its_field(spec: Manifest, says: list[str]) -> None:
    (sentence,) = found(spec)
    for one in says:
        assert one in sentence


def test_a_filter_of_an_allowed_type_has_its_own_fields_alone() -> None:
    allowed = filtered(
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}},
        {"type": "URLRewrite", "urlRewrite": {"hostname": "speech"}},
    )
    assert found(allowed) == []
    assert found(filtered({"type": "CORS", "cors": {}}), routeFilters=["CORS"]) == []


def test_a_port_on_every_node_is_the_administrators_to_give() -> None:
    spec = {"service": {"type": "NodePort", "nodePort": 30443}}
    (sentence,) = found(spec, serviceTypes=["NodePort"])
    assert sentence.startswith("spec.service.nodePort 30443: not allowed by policy.nodePorts")
    assert found(spec, serviceTypes=["NodePort"], nodePorts=["30443"]) == []
    assert found({"service": {"type": "NodePort"}}, serviceTypes=["NodePort"]) == []


def test_each_host_is_held_to_the_same_rule() -> None:
    spec = {"ingress": {"host": "a.team.example.com", "additionalHosts": ["a.other.example.com"]}}
    (sentence,) = found(spec, hosts=["*.{namespace}.example.com"])
    assert sentence.startswith("spec.ingress.additionalHosts[0] 'a.other.example.com': not allowed by policy.hosts")


def test_an_issuer_is_named_by_its_kind_and_group() -> None:
    tls = {"issuerRef": {"name": "ours", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"}}
    spec = {"ingress": {"host": "a.example.com", "tls": tls}}
    (sentence,) = found(spec)
    assert sentence.startswith("spec.ingress.tls.issuerRef 'AWSPCAIssuer.awspca.cert-manager.io/ours': not allowed by")
    assert found(spec, issuers=["AWSPCAIssuer.awspca.cert-manager.io/*"]) == []
