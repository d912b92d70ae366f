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
    service, wanted = resolved.service, resolved.service.spec.ingress
    if wanted is None or _is_taken(resolved):
        return None
    backend = {"service": {"name": service.metadata.name, "port": {"name": "http"}}}
    path = {"path": wanted.path, "pathType": "Prefix", "backend": backend}
    return child(
        service,
        INGRESS,
        service.metadata.name,
        annotations=_annotations(service),
        spec={
            **({"ingressClassName": wanted.class_name} if wanted.class_name else {}),
            "rules": [{**({"host": wanted.host} if wanted.host else {}), "http": {"paths": [path]}}],
            **({"tls": [_tls(service)]} if wanted.tls else {}),
        },
    )


def _is_taken(resolved: Resolved) -> bool:
    """Whether another Ingress has the host: then ours is not created; one that exists already stays."""
    return resolved.live(INGRESS) is None and host_path(resolved.service) in resolved.observed.facts.taken


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
