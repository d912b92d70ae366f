"""The HTTPRoute of the Gateway API, where the cluster has it; its time-outs follow the server's.

Both of them may count from the request's first byte, so the upload as well: the specification leaves it open
(https://gateway-api.sigs.k8s.io/geps/gep-1742/), and Envoy 1.40 begins once the request is whole.
"""

from __future__ import annotations

from whisper_operator.api.spec.exposure import GatewaySpec
from whisper_operator.api.units import canonical_duration
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child
from whisper_operator.build.proxy_limits import proxy_limits
from whisper_operator.objects.kinds import HTTP_ROUTE
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest | None:
    service = resolved.service
    wanted = service.spec.gateway
    if wanted is None or HTTP_ROUTE not in resolved.installation.kinds:
        return None
    rule = {
        **_matches(wanted),
        **({"filters": list(wanted.filters)} if wanted.filters else {}),
        "backendRefs": [{"name": service.metadata.name, "port": service.spec.service.port}],
        **(_timeouts(service) if wanted.timeouts and resolved.installation.has_route_timeouts else {}),
    }
    return child(
        service,
        HTTP_ROUTE,
        service.metadata.name,
        labels=wanted.labels or None,
        annotations=wanted.annotations,
        spec={
            "parentRefs": list(wanted.parent_refs),
            **({"hostnames": list(wanted.hostnames)} if wanted.hostnames else {}),
            "rules": [rule],
        },
    )


def _matches(wanted: GatewaySpec) -> Manifest:
    """Without any, a route has all requests of its hosts."""
    if wanted.matches:
        return {"matches": list(wanted.matches)}
    return {"matches": [{"path": {"type": "PathPrefix", "value": wanted.prefix}}]} if wanted.prefix else {}


def _timeouts(service: WhisperService) -> Manifest:
    limit = canonical_duration(proxy_limits(service).whole_seconds)
    return {"timeouts": {"request": limit, "backendRequest": limit}}
