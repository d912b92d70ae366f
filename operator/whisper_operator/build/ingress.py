"""The Ingress: body size and time-outs follow the server's, in the words of each controller."""

from __future__ import annotations

from whisper_operator.api.spec.ingress import CERT_MANAGER, IngressSpec, IngressTlsSpec
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import ingress_annotations
from whisper_operator.build.meta import child
from whisper_operator.build.proxy_limits import proxy_limits
from whisper_operator.objects.kinds import INGRESS
from whisper_operator.observe.facts import host_paths
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest | None:
    """None where another Ingress has a host; one of ours that exists keeps those that it has."""
    service, wanted, live = resolved.service, resolved.service.spec.ingress, resolved.live(INGRESS)
    is_taken = any(way in resolved.observed.facts.taken for way in host_paths(service))
    if wanted is None or (is_taken and live is None):
        return None
    ways = _ways_of(live["spec"]) if is_taken and live else _ways(service.metadata.name, wanted)
    return child(
        service,
        INGRESS,
        service.metadata.name,
        labels=wanted.labels or None,
        annotations=_annotations(service, wanted),
        spec={**({"ingressClassName": wanted.class_name} if wanted.class_name else {}), **ways},
    )


def _ways(name: str, wanted: IngressSpec) -> Manifest:
    """The rules and certificate of every host; `name`: of the Service."""
    backend = {"service": {"name": name, "port": {"name": "http"}}}
    paths = [{"path": path, "pathType": of, "backend": backend} for path, of in wanted.paths]
    rules = [{"host": host, "http": {"paths": paths}} for host in wanted.hosts]
    return {
        "rules": rules or [{"http": {"paths": paths}}],
        **({"tls": [_tls(name, wanted, wanted.tls)]} if wanted.tls else {}),
    }


def _ways_of(spec: Manifest) -> Manifest:
    return {name: spec[name] for name in ("rules", "tls") if name in spec}


def _tls(name: str, wanted: IngressSpec, tls: IngressTlsSpec) -> Manifest:
    """Without a Secret, the controller takes its default certificate."""
    secret = tls.secret_name or (f"{name}-tls" if tls.is_issued else None)
    return {
        **({"hosts": list(wanted.hosts)} if wanted.hosts else {}),
        **({"secretName": secret} if secret else {}),
    }


def _annotations(service: WhisperService, wanted: IngressSpec) -> dict[str, str]:
    return {
        **ingress_annotations.annotations_for(wanted.class_name or "", proxy_limits(service)),
        **(_issuer(wanted.tls) if wanted.tls else {}),
        **wanted.annotations,
    }


def _issuer(tls: IngressTlsSpec) -> dict[str, str]:
    """By which cert-manager knows who signs: https://cert-manager.io/docs/usage/ingress/#supported-annotations."""
    if tls.cluster_issuer:
        return {"cert-manager.io/cluster-issuer": tls.cluster_issuer}
    if tls.issuer_ref is None:
        return {}
    found = {"cert-manager.io/issuer": tls.issuer_ref.name}
    if (tls.issuer_ref.kind, tls.issuer_ref.group) != ("Issuer", CERT_MANAGER):
        found |= {"cert-manager.io/issuer-kind": tls.issuer_ref.kind}
        found |= {"cert-manager.io/issuer-group": tls.issuer_ref.group}
    return found
