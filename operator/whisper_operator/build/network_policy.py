"""The NetworkPolicy of the pods that serve: clients, scrapers and our own verification in; DNS, `allowTo` and the hosts
of `audioUrls` and `webhooks` out.

The pods that fetch a model are not selected: they need the model's source. A kubelet's probes pass any policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from whisper_operator.api.spec.exposure import NetworkPolicySpec
from whisper_operator.api.spec.server import AudioUrlsSpec
from whisper_operator.api.spec.webhooks import WebhooksSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import NETWORK_POLICY
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.network import HTTP_PORT, METRICS_PORT
from whisper_runtime.contract.outbound import NOT_PUBLIC_IPV4, NOT_PUBLIC_IPV6, PUBLIC_IPV6, AllowedHost

NODE_LOCAL_DNS: Final = ("169.254.20.10/32", "fd00::/8")
"""The address of a node's DNS cache, which is no pod's; of IPv6 the documentation names a range alone.

https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
"""
DNS_PORTS: Final = (53, 5353)
"""A policy sees a pod's own port: CoreDNS listens on 53, OpenShift's DNS on 5353."""


def build(resolved: Resolved) -> Manifest | None:
    service = resolved.service
    wanted = service.spec.network_policy
    if wanted is None:
        return None
    has_front = resolved.front is not None and resolved.front.is_there
    front = [{"from": [_pods(service, names.FRONT)], "ports": _both_ports()}] if has_front else []
    return child(
        service,
        NETWORK_POLICY,
        service.metadata.name,
        spec={
            "podSelector": _pods(service, names.SERVER)["podSelector"],
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [*_ingress(service, wanted), *front],
            "egress": [_dns(), *wanted.allow_to, *_listed_hosts(service, resolved.installation.cluster_networks)],
        },
    )


def of_front(resolved: Resolved) -> Manifest | None:
    """The same for the front: in as for the pods that serve, out to those, DNS and `allowTo`."""
    service = resolved.service
    wanted = service.spec.network_policy
    if wanted is None or resolved.front is None or not resolved.front.is_there:
        return None
    servers = {"to": [_pods(service, names.SERVER)], "ports": _both_ports()}
    return child(
        service,
        NETWORK_POLICY,
        names.front(service.metadata.name),
        component=names.FRONT,
        spec={
            "podSelector": _pods(service, names.FRONT)["podSelector"],
            "policyTypes": ["Ingress", "Egress"],
            "ingress": _ingress(service, wanted),
            "egress": [_dns(), servers, *wanted.allow_to],
        },
    )


def _pods(service: WhisperService, component: str) -> Manifest:
    """The peer that the service's pods of `component` are."""
    return {"podSelector": {"matchLabels": names.selector(service.metadata.name, component)}}


def _ingress(service: WhisperService, wanted: NetworkPolicySpec) -> list[Manifest]:
    """Clients, scrapers, and our own verification."""
    scrapers = [{"from": list(wanted.metrics_from), "ports": [_tcp(METRICS_PORT)]}] if wanted.metrics_from else []
    proof = {"from": [_pods(service, names.VERIFY)], "ports": _both_ports()}
    return [*_clients(wanted), *scrapers, proof]


def _clients(wanted: NetworkPolicySpec) -> list[Manifest]:
    """A rule without peers is for everybody, from without the cluster too."""
    if wanted.allow_from is None:
        return [{"ports": [_tcp(HTTP_PORT)]}]
    return [{"from": list(wanted.allow_from), "ports": [_tcp(HTTP_PORT)]}] if wanted.allow_from else []


def shuts_in(service: WhisperService) -> bool:
    """Whether the pods that serve are to reach nothing but DNS."""
    policy = service.spec.network_policy
    return policy is not None and not policy.allow_to and not _listed_hosts(service, ())


def _listed_hosts(service: WhisperService, cluster_networks: Sequence[str]) -> list[Manifest]:
    spec = service.spec
    webhooks = spec.jobs.webhooks if spec.jobs else None
    return [_hosts(listed, cluster_networks) for listed in (spec.server.audio_urls, webhooks) if listed]


def _hosts(listed: AudioUrlsSpec | WebhooksSpec, cluster_networks: Sequence[str]) -> Manifest:
    """Public addresses and the listed networks, on the ports of the listed hosts: a policy knows no names."""
    networks = [
        {"cidr": "0.0.0.0/0", "except": [*NOT_PUBLIC_IPV4, *_within("0.0.0.0/0", cluster_networks)]},
        {"cidr": PUBLIC_IPV6, "except": [*NOT_PUBLIC_IPV6, *_within(PUBLIC_IPV6, cluster_networks)]},
        *({"cidr": str(ip_network(network, strict=False))} for network in listed.private_networks),
    ]
    ports = sorted({AllowedHost.parse(host).port for host in listed.allowed_hosts})
    return {"to": [{"ipBlock": network} for network in networks], "ports": [_tcp(port) for port in ports]}


def _within(cidr: str, networks: Sequence[str]) -> list[str]:
    """Those that are a part of `cidr`: an exception has to be."""
    whole, parts = ip_network(cidr), map(ip_network, networks)
    return [str(one) for one in parts if one.network_address in whole and one.prefixlen >= whole.prefixlen]


def _dns() -> Manifest:
    return {
        "to": [{"namespaceSelector": {}}, *({"ipBlock": {"cidr": cidr}} for cidr in NODE_LOCAL_DNS)],
        "ports": [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP") for port in DNS_PORTS],
    }


def _both_ports() -> list[Manifest]:
    """Where requests are sent, and where a pod says how it is."""
    return [_tcp(HTTP_PORT), _tcp(METRICS_PORT)]


def _tcp(port: int) -> Manifest:
    return {"protocol": "TCP", "port": port}
