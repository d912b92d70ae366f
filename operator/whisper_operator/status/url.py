"""The address where clients reach a service: pure."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import HTTP_ROUTE, INGRESS, SERVICE
from whisper_operator.objects.manifest import status_of
from whisper_operator.resolve.resolved import Resolved


def url(resolved: Resolved) -> str:
    """The address of its Ingress, route or load balancer, else its name within the cluster."""
    service = resolved.service
    name, ingress, gateway = service.metadata.name, service.spec.ingress, service.spec.gateway
    if ingress and _is_one(ingress.host) and resolved.live(INGRESS):
        return f"{'https' if ingress.tls else 'http'}://{ingress.host}{ingress.path.rstrip('/')}"
    if gateway and resolved.live(HTTP_ROUTE) and (host := next(filter(_is_one, gateway.hostnames), None)):
        return f"https://{host}"
    host = _load_balancer(resolved.live(SERVICE)) or f"{name}.{service.metadata.namespace}.svc"
    port = service.spec.service.port
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def _is_one(host: str | None) -> bool:
    """Whether that is a host, and not a pattern for many."""
    return bool(host) and "*" not in (host or "")


def _load_balancer(live: Manifest | None) -> str | None:
    found: list[dict[str, str]] = status_of(live).get("loadBalancer", {}).get("ingress") or []
    address = found[0].get("hostname") or found[0].get("ip") if found else None
    return f"[{address}]" if address and ":" in address else address
