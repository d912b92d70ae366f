"""The parts of the spec that say who reaches the service, and how much of it they get."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import Duration, Host, KeyRef, LocalRef, ObjectName, Opaque, Part, Rule, at_most, text
from whisper_operator.api.maps import Annotations

_AMBIGUOUS = "//|/[.]{1,2}(/|$)|%2[fF]"


class Auth(Part):
    secret_ref: LocalRef
    """Secret of API keys: every key of it is a client's name, its value that client's API key."""


class RateLimit(Part):
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Requests that one client may send in a minute; clients are told apart by API key, else by address."""
    audio_minutes_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Audio that one client may send in an hour."""


class Jobs(Part):
    result_ttl: Duration = Field("24h", alias="resultTTL")
    """How long the result of an asynchronous transcription is kept."""


class ResultCache(Part):
    ttl: Duration = "24h"
    """How long the answer for the same audio and options is kept."""


class Redis(Part):
    secret_ref: KeyRef
    """Secret and key of the URL of a Valkey or Redis that the replicas share."""


class Service(Part):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service for clients."""
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Port of the Service for clients."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of the Service for clients."""


class IngressTls(Part):
    secret_name: ObjectName | None = None
    """Secret with the certificate; with `clusterIssuer` the one that cert-manager writes (default: <name>-tls)."""
    cluster_issuer: ObjectName | None = None
    """cert-manager's ClusterIssuer that signs the certificate."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.secretName) || has(self.clusterIssuer)",
            "spec.ingress.tls is empty: name the certificate's Secret in secretName, or an issuer in clusterIssuer",
            lambda self: self.secret_name is not None or self.cluster_issuer is not None,
        ),
    )


class Ingress(Part):
    class_name: ObjectName | None = None
    """IngressClass; nginx, traefik and haproxy get their own annotations. Absent: the cluster's default."""
    host: Host | None = None
    """Host name of the service. Absent: any host."""
    path: Annotated[str, *text("^/[!-~]*$", "is no path: start it with /, without spaces", longest=512)] = "/"
    """Path prefix of the service."""
    tls: IngressTls | None = None
    """HTTPS. Absent: HTTP alone."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """More annotations; they win over the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!self.path.matches('{_AMBIGUOUS}')",
            "spec.ingress.path holds //, /./, /../ or %2F, which Kubernetes refuses: write the path that is meant",
            lambda self: not re.search(_AMBIGUOUS, self.path),
        ),
        Rule(
            "!has(self.tls) || !has(self.tls.clusterIssuer) || has(self.host)",
            "spec.ingress.tls.clusterIssuer needs spec.ingress.host, for which cert-manager asks for the certificate: "
            "add the host, or name a certificate's Secret in spec.ingress.tls.secretName alone",
            lambda self: self.tls is None or self.tls.cluster_issuer is None or self.host is not None,
        ),
    )


class Gateway(Part):
    parent_refs: Annotated[tuple[Opaque, ...], *at_most(16)] = ()
    """Gateways that the HTTPRoute attaches to."""
    hostnames: Annotated[tuple[Host, ...], *at_most(16)] = ()
    """Host names of the service."""


class NetworkPolicy(Part):
    allow_from: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers that may send requests; empty: no rule for clients."""
    metrics_from: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers that may scrape the metrics."""
    allow_to: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers, and their ports, that the server may reach."""
