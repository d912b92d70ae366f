"""The Service that clients use."""

from __future__ import annotations

from whisper_operator.api.spec.exposure import ServiceSpec
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest:
    service = resolved.service
    wanted = service.spec.service
    return child(
        service,
        SERVICE,
        service.metadata.name,
        labels=wanted.labels or None,
        annotations=wanted.annotations,
        spec={
            "type": wanted.type,
            "selector": names.selector(service.metadata.name, resolved.clients_reach),
            "ports": [_port(wanted)],
            **_load_balancer(wanted),
            **families(wanted),
        },
    )


def families(wanted: ServiceSpec) -> Manifest:
    """The families of addresses, of both Services; what the spec leaves open is the cluster's to choose."""
    return {
        **({"ipFamilyPolicy": wanted.ip_family_policy} if wanted.ip_family_policy else {}),
        **({"ipFamilies": list(wanted.ip_families)} if wanted.ip_families else {}),
    }


def _port(wanted: ServiceSpec) -> Manifest:
    chosen = {"nodePort": wanted.node_port} if wanted.node_port else {}
    return {"name": "http", "port": wanted.port, "targetPort": "http", "protocol": "TCP", **chosen}


def _load_balancer(wanted: ServiceSpec) -> Manifest:
    ranges = list(wanted.load_balancer_source_ranges)
    return {
        **({"loadBalancerClass": wanted.load_balancer_class} if wanted.load_balancer_class else {}),
        **({"loadBalancerSourceRanges": ranges} if ranges else {}),
        **({"externalTrafficPolicy": wanted.external_traffic_policy} if wanted.external_traffic_policy else {}),
    }
