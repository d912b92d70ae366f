"""The Ingress: body size and time-outs follow the server's, in the words of each controller."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import ingress_annotations
from whisper_operator.build.meta import child
from whisper_operator.build.proxy_limits import proxy_limits
from whisper_operator.objects.kinds import INGRESS
from whisper_operator.observe.facts import host_path
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest | None:
    """None where another Ingress has the host; one of ours that exists keeps those that it has."""
    service, wanted, live = resolved.service, resolved.service.spec.ingress, resolved.live(INGRESS)
    is_taken = host_path(service) in resolved.observed.facts.taken
    if wanted is None or (is_taken and live is None):
        return None
    ways = _ways_of(live["spec"]) if is_taken and live else _ways(service)
    return child(
        service,
        INGRESS,
        service.metadata.name,
        annotations=_annotations(service),
        spec={**({"ingressClassName": wanted.class_name} if wanted.class_name else {}), **ways},
    )


def _ways(service: WhisperService) -> Manifest:
    wanted = service.spec.ingress
    assert wanted is not None
    backend = {"service": {"name": service.metadata.name, "port": {"name": "http"}}}
    path = {"path": wanted.path, "pathType": "Prefix", "backend": backend}
    return {
        "rules": [{**({"host": wanted.host} if wanted.host else {}), "http": {"paths": [path]}}],
        **({"tls": [_tls(service)]} if wanted.tls else {}),
    }


def _ways_of(spec: Manifest) -> Manifest:
    return {name: spec[name] for name in ("rules", "tls") if name in spec}


def tls_secret(service: WhisperService) -> str | None:
    """Name of the Secret that holds the certificate; None without TLS."""
    ingress = service.spec.ingress
    if ingress is None or ingress.tls is None:
        return None
    return ingress.tls.secret_name or f"{service.metadata.name}-tls"


def _tls(service: WhisperService) -> Manifest:
    ingress = service.spec.ingress
    hosts = {"hosts": [ingress.host]} if ingress and ingress.host else {}
    return {**hosts, "secretName": tls_secret(service)}


def _annotations(service: WhisperService) -> dict[str, str]:
    ingress = service.spec.ingress
    assert ingress is not None
    issuer = ingress.tls.cluster_issuer if ingress.tls else None
    return {
        **ingress_annotations.annotations_for(ingress.class_name or "", proxy_limits(service)),
        **({"cert-manager.io/cluster-issuer": issuer} if issuer else {}),
        **ingress.annotations,
    }
