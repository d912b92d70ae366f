"""The Ingress: body size and time-outs follow the server's, in the annotations of each controller."""

from __future__ import annotations

from whisper_operator.api.units import duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child
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
        **_limits(ingress.class_name or "", service),
        **({"cert-manager.io/cluster-issuer": issuer} if issuer else {}),
        **ingress.annotations,
    }


def _limits(class_name: str, service: WhisperService) -> dict[str, str]:
    """Body size and time-outs for the class's controller; for every controller where the class names none.

    Traefik limits neither by an Ingress: no body size, and only its entry point's own time-out
    (docs/how-to/ingress.md).
    "nginx" is the name of two controllers' class, the community's and the vendor's.
    """
    seconds = duration_seconds(service.spec.server.request_timeout)
    size = size_bytes(service.spec.server.max_upload_size)
    nginx = {
        "nginx.ingress.kubernetes.io/proxy-body-size": str(size),
        "nginx.ingress.kubernetes.io/proxy-read-timeout": str(seconds),
        "nginx.ingress.kubernetes.io/proxy-send-timeout": str(seconds),
    }
    nginx_inc = {
        "nginx.org/client-max-body-size": str(size),
        "nginx.org/proxy-read-timeout": f"{seconds}s",
        "nginx.org/proxy-send-timeout": f"{seconds}s",
    }
    haproxy = {
        "haproxy.org/timeout-server": f"{seconds}s",
        "haproxy-ingress.github.io/proxy-body-size": str(size),
        "haproxy-ingress.github.io/timeout-server": f"{seconds}s",
    }
    if "nginx" in class_name:
        return nginx | nginx_inc
    if "haproxy" in class_name:
        return haproxy
    return {} if "traefik" in class_name else nginx | nginx_inc | haproxy
