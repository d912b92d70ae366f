"""The address where clients reach a service: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from whisper_operator.api.spec.exposure import GatewaySpec
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import HTTP_ROUTE, INGRESS, SERVICE
from whisper_operator.objects.manifest import annotations_of, status_of
from whisper_operator.resolve.references import gateways
from whisper_operator.resolve.resolved import Resolved

PORTS: Final = {"http": 80, "https": 443}


def url(resolved: Resolved) -> str:
    """The address of its Ingress, route or load balancer, else its name within the cluster."""
    service = resolved.service
    name, gateway, ingress = service.metadata.name, service.spec.gateway, resolved.live(INGRESS)
    if service.spec.ingress and ingress and (found := _of_ingress(ingress)):
        return found
    if gateway and resolved.live(HTTP_ROUTE) and (host := next(filter(_is_one, gateway.hostnames), None)):
        return f"{_of_gateway(resolved, gateway, host)}{gateway.prefix}"
    address = _load_balancer(resolved.live(SERVICE))
    is_encrypted = address and _ends_tls(resolved.live(SERVICE))
    return _address(
        "https" if is_encrypted else "http",
        address or f"{name}.{service.metadata.namespace}.svc",
        service.spec.service.port,
    )


def _address(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{host}" if port == PORTS[scheme] else f"{scheme}://{host}:{port}"


def _is_one(host: str) -> bool:
    """Whether that is a host, and not a pattern for many."""
    return "*" not in host


def _of_ingress(live: Manifest) -> str | None:
    """The address by an Ingress as it is, which may keep an earlier host while another has the wanted one."""
    scheme = "https" if live["spec"].get("tls") or _ends_tls(live) else "http"
    for rule in live["spec"].get("rules", ()):
        host, paths = rule.get("host", ""), rule.get("http", {}).get("paths", ())
        if host and paths and _is_one(host):
            return f"{scheme}://{host}{paths[0].get('path', '/').rstrip('*').rstrip('/')}"
    return None


def _ends_tls(live: Manifest | None) -> bool:
    """Whether an annotation of that Ingress or Service lets its controller take HTTPS, without `spec.tls`."""
    annotations = annotations_of(live) if live else {}
    return any(says(annotations[name]) for name, says in ENDS_TLS.items() if name in annotations)


def _is_true(value: str) -> bool:
    return value == "true"


def _has_https(value: str) -> bool:
    return "HTTPS" in value.upper()


ENDS_TLS: Final[Mapping[str, Callable[[str], bool]]] = {
    "alb.ingress.kubernetes.io/certificate-arn": bool,
    "alb.ingress.kubernetes.io/listen-ports": _has_https,
    "appgw.ingress.kubernetes.io/appgw-ssl-certificate": bool,
    "haproxy.org/ssl-redirect": _is_true,
    "ingress.gcp.kubernetes.io/pre-shared-cert": bool,
    "konghq.com/protocols": lambda value: value == "https",
    "networking.gke.io/managed-certificates": bool,
    "nginx.ingress.kubernetes.io/force-ssl-redirect": _is_true,
    "route.openshift.io/termination": bool,
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert": bool,
    "traefik.ingress.kubernetes.io/router.tls": _is_true,
}
"""Annotations by which a controller takes HTTPS, each with what its value has to say, as its documentation has it."""


def _of_gateway(resolved: Resolved, gateway: GatewaySpec, host: str) -> str:
    """Scheme, host and port of the listener that the route attaches to; https where its Gateway cannot be read."""
    found = [(one["protocol"], one["port"]) for one in _listeners(resolved, host)]
    secure = next((port for protocol, port in found if protocol in ("HTTPS", "TLS")), None)
    if secure is not None:
        return _address("https", host, secure)
    plain = next((port for protocol, port in found if protocol == "HTTP"), None)
    if plain is not None:
        return _address("http", host, plain)
    before = resolved.service.status.url or ""
    was_of_host = before.partition("://")[2].partition("/")[0].partition(":")[0] == host
    return before.removesuffix(gateway.prefix) if was_of_host else f"https://{host}"


def _listeners(resolved: Resolved, host: str) -> Iterator[Manifest]:
    """The listeners for that host that the spec's parentRefs name."""
    for ref in gateways(resolved.service.spec):
        found = resolved.observed.facts.gateways.get((ref.get("namespace", ""), ref["name"]))
        for one in (found or {}).get("spec", {}).get("listeners", ()):
            is_named = ref.get("sectionName") in (None, one["name"]) and ref.get("port") in (None, one["port"])
            if is_named and _takes(one.get("hostname", ""), host):
                yield one


def _takes(hostname: str, host: str) -> bool:
    """Whether a listener of that host name, which may be a wildcard or absent, has requests for `host`."""
    return hostname in ("", host) or (hostname.startswith("*.") and host.endswith(hostname[1:]))


def _load_balancer(live: Manifest | None) -> str | None:
    found: list[dict[str, str]] = status_of(live).get("loadBalancer", {}).get("ingress") or []
    address = found[0].get("hostname") or found[0].get("ip") if found else None
    return f"[{address}]" if address and ":" in address else address
