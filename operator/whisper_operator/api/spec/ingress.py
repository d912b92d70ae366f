"""The spec's part about the Ingress: its hosts, paths and certificate."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, text
from whisper_operator.api.maps import Annotations, Labels, none_of_ours
from whisper_operator.api.scalars import SUBDOMAIN, Host, ObjectName, UrlPath, unambiguous

CERT_MANAGER: Final = "cert-manager.io"
"""Group of cert-manager's own issuers."""

ISSUED_BY: Final = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme")
"""Annotations by which cert-manager issues: https://cert-manager.io/docs/usage/ingress/#supported-annotations."""
PathType = Literal["Prefix", "Exact", "ImplementationSpecific"]


class IssuerRefSpec(ApiModel):
    name: ObjectName
    """Name of the issuer, in the service's namespace if its kind has one."""
    kind: Annotated[str, *text("^[A-Z][A-Za-z0-9]*$", "is not a valid kind; for example Issuer", longest=63)] = "Issuer"
    """Kind of the issuer."""
    group: Annotated[
        str, *text(f"^{SUBDOMAIN}$", "is not a valid API group; for example cert-manager.io", longest=253)
    ] = CERT_MANAGER
    """API group of the issuer; another one than cert-manager's own belongs to an external issuer."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.kind != 'ClusterIssuer' || self.group != '{CERT_MANAGER}'",
            "spec.ingress.tls.issuerRef names a ClusterIssuer: name it in spec.ingress.tls.clusterIssuer instead",
            lambda self: (self.kind, self.group) != ("ClusterIssuer", CERT_MANAGER),
        ),
    )


class IngressTlsSpec(ApiModel):
    secret_name: ObjectName | None = None
    """Secret with the certificate; with an issuer, cert-manager writes it (default: <name>-tls). Absent, without an
    issuer: the controller's own default certificate."""
    cluster_issuer: ObjectName | None = None
    """cert-manager's ClusterIssuer that signs the certificate."""
    issuer_ref: IssuerRefSpec | None = None
    """Another issuer that signs it: cert-manager's Issuer of the namespace, or an external one."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.clusterIssuer) || !has(self.issuerRef)",
            "spec.ingress.tls has both clusterIssuer and issuerRef: remove one of the two",
            lambda self: self.cluster_issuer is None or self.issuer_ref is None,
        ),
    )

    @property
    def is_issued(self) -> bool:
        """Whether cert-manager writes the certificate's Secret."""
        return self.cluster_issuer is not None or self.issuer_ref is not None


class IngressPathSpec(ApiModel):
    path: UrlPath
    """A path that the pods answer: below `spec.ingress.path`, or without that prefix, as /v1 and /transcribe."""
    path_type: PathType = "Prefix"
    """Whether the path stands for all below it, for itself alone, or for what the controller makes of it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        unambiguous(
            "spec.ingress.additionalPaths has a path with //, /./, /../ or %2F, which Kubernetes refuses: write it "
            "without them"
        ),
    )


class IngressSpec(ApiModel):
    class_name: ObjectName | None = None
    """IngressClass; nginx, traefik and haproxy get their own annotations. Absent: the cluster's default."""
    host: Host | None = None
    """Host name of the service. Absent: any host."""
    additional_hosts: Annotated[tuple[Host, ...], *at_most(16)] = ()
    """More host names of the service, with the same paths and certificate."""
    path: UrlPath = "/"
    """Path prefix of the service."""
    path_type: PathType = "Prefix"
    """Whether `path` stands for all below it, for itself alone, or for what the controller makes of it."""
    additional_paths: Annotated[tuple[IngressPathSpec, ...], *at_most(16)] = ()
    """More paths of the service, at each of its hosts."""
    tls: IngressTlsSpec | None = None
    """HTTPS. Absent: HTTP only."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the Ingress, beside the operator's; some controllers select by them."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Additional annotations; they take precedence over the operator's."""

    rules: ClassVar[tuple[Rule, ...]] = (
        unambiguous(
            "spec.ingress.path contains //, /./, /../ or %2F, which Kubernetes refuses: write the path without them"
        ),
        Rule(
            "!has(self.additionalHosts) || size(self.additionalHosts) == 0 || has(self.host)",
            "spec.ingress.additionalHosts needs spec.ingress.host: add the host, or name one of the others there",
            lambda self: not self.additional_hosts or self.host is not None,
        ),
        Rule(
            "!has(self.additionalHosts) || self.additionalHosts.all(one, (!has(self.host) || one != self.host) && "
            "self.additionalHosts.filter(other, other == one).size() == 1)",
            "spec.ingress.additionalHosts has a host twice, or spec.ingress.host again: remove the duplicate",
            lambda self: len({self.host, *self.additional_hosts}) == 1 + len(self.additional_hosts),
        ),
        Rule(
            "!has(self.additionalPaths) || self.additionalPaths.all(one, one.path != self.path && "
            "self.additionalPaths.filter(other, other.path == one.path).size() == 1)",
            "spec.ingress.additionalPaths has a path twice, or spec.ingress.path again: remove the duplicate",
            lambda self: len({self.path, *(one.path for one in self.additional_paths)}) == len(self.paths),
        ),
        *(
            Rule(
                f"!has(self.tls) || !has(self.tls.{field}) || has(self.host)",
                f"spec.ingress.tls.{field} needs spec.ingress.host, the name that the certificate is issued for: "
                "add the host, or name a certificate's Secret in spec.ingress.tls.secretName alone",
                lambda self, attribute=attribute: (
                    self.tls is None or getattr(self.tls, attribute) is None or self.host is not None
                ),
            )
            for field, attribute in (("clusterIssuer", "cluster_issuer"), ("issuerRef", "issuer_ref"))
        ),
        *none_of_ours("spec.ingress", "labels"),
    )

    @property
    def is_issued(self) -> bool:
        """Whether cert-manager writes the certificate's Secret, by a field of the spec or by an annotation."""
        by_field = self.tls is not None and self.tls.is_issued
        return by_field or any(name in self.annotations for name in ISSUED_BY)

    @property
    def prefix(self) -> str:
        """The path without what its end means to a controller: empty for /, and /speech for GKE's /speech/*."""
        path = self.path.rstrip("*") if self.path_type == "ImplementationSpecific" else self.path
        return path.rstrip("/")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host name; empty where any host is meant."""
        return (self.host, *self.additional_hosts) if self.host else ()

    @property
    def paths(self) -> tuple[tuple[str, PathType], ...]:
        """Every path with its type, the service's own first."""
        return ((self.path, self.path_type), *((one.path, one.path_type) for one in self.additional_paths))
