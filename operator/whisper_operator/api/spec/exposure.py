"""The spec's parts about the network: the Service, Ingress and HTTPRoute for clients, and the allowed peers."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, text
from whisper_operator.api.maps import Annotations
from whisper_operator.api.scalars import Host, ObjectName, Opaque

_AMBIGUOUS = "//|/[.]{1,2}(/|$)|%2[fF]"


class ServiceSpec(ApiModel):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service for clients."""
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Port of the Service for clients."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of the Service for clients."""


class IngressTlsSpec(ApiModel):
    secret_name: ObjectName | None = None
    """Secret with the certificate. With `clusterIssuer`, cert-manager writes it (default: <name>-tls)."""
    cluster_issuer: ObjectName | None = None
    """cert-manager's ClusterIssuer that signs the certificate."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.secretName) || has(self.clusterIssuer)",
            "spec.ingress.tls is empty: name the certificate's Secret in secretName, or an issuer in clusterIssuer",
            lambda self: self.secret_name is not None or self.cluster_issuer is not None,
        ),
    )


class IngressSpec(ApiModel):
    class_name: ObjectName | None = None
    """IngressClass; nginx, traefik and haproxy get their own annotations. Absent: the cluster's default."""
    host: Host | None = None
    """Host name of the service. Absent: any host."""
    path: Annotated[
        str,
        *text(
            "^/[!-~]*$", "is not a valid path; for example /speech, beginning with / and without spaces", longest=512
        ),
    ] = "/"
    """Path prefix of the service."""
    tls: IngressTlsSpec | None = None
    """HTTPS. Absent: HTTP only."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Additional annotations; they take precedence over the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!self.path.matches('{_AMBIGUOUS}')",
            "spec.ingress.path contains //, /./, /../ or %2F, which Kubernetes refuses: write the path without them",
            lambda self: not re.search(_AMBIGUOUS, self.path),
        ),
        Rule(
            "!has(self.tls) || !has(self.tls.clusterIssuer) || has(self.host)",
            "spec.ingress.tls.clusterIssuer needs spec.ingress.host, the name that the certificate is issued for: "
            "add the host, or name a certificate's Secret in spec.ingress.tls.secretName alone",
            lambda self: self.tls is None or self.tls.cluster_issuer is None or self.host is not None,
        ),
    )


class GatewaySpec(ApiModel):
    parent_refs: Annotated[tuple[Opaque, ...], *at_most(16)] = ()
    """Gateways that the HTTPRoute attaches to."""
    hostnames: Annotated[tuple[Host, ...], *at_most(16)] = ()
    """Host names of the service."""


class NetworkPolicySpec(ApiModel):
    allow_from: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers that may send requests. Empty: no rule for clients."""
    metrics_from: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers that may scrape the metrics."""
    allow_to: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers, and their ports, that the server may connect to."""
