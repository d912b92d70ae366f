"""The spec's parts about the network: the Service and HTTPRoute for clients, and the allowed peers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, text
from whisper_operator.api.maps import LONGEST_KEY, QUALIFIED_NAME, Annotations, Labels, none_of_ours
from whisper_operator.api.scalars import AddressRange, Host, Opaque, UrlPath, is_network, unambiguous

_NAT = ("NodePort", "LoadBalancer")
"""Types of Services that clients reach from without the cluster."""


def _needs_type(field: str, attribute: str, *types: str, absent: str = "!has({field})") -> Rule:
    """The rule that a field is there for those types of Service alone; `absent`: in CEL, that it says nothing."""
    named, listed = " or ".join(types), ", ".join(f"'{one}'" for one in types)
    return Rule(
        f"{absent.format(field=f'self.{field}')} || self.type in [{listed}]",
        f"spec.service.{field} needs spec.service.type {named}: set that type, or remove spec.service.{field}",
        lambda self: getattr(self, attribute) in (None, ()) or self.type in types,
    )


class ServiceSpec(ApiModel):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service for clients."""
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Port of the Service for clients."""
    node_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port on every node, of the cluster's range for such ports. Absent: Kubernetes chooses one."""
    load_balancer_class: (
        Annotated[
            str,
            *text(
                f"^{QUALIFIED_NAME}$",
                "is not a valid class of load balancers; for example service.k8s.aws/nlb",
                longest=LONGEST_KEY,
            ),
        ]
        | None
    ) = None
    """Controller that provides the load balancer. Absent: the cluster's default."""
    load_balancer_source_ranges: Annotated[tuple[AddressRange, ...], *at_most(64)] = ()
    """Networks whose clients may use the load balancer. Empty: all."""
    external_traffic_policy: Literal["Cluster", "Local"] | None = None
    """Local sends clients to pods of the node that they reach, and keeps their addresses. Absent: Cluster."""
    ip_family_policy: Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None = None
    """Families of addresses that the service's Services have. Absent: one, the cluster's first."""
    ip_families: Annotated[tuple[Literal["IPv4", "IPv6"], ...], *at_most(2)] = ()
    """Those families, the first one first; it cannot change once the Services exist. Empty: as the cluster has them."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the Service for clients, beside the operator's."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of the Service for clients."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _needs_type("nodePort", "node_port", *_NAT),
        _needs_type("externalTrafficPolicy", "external_traffic_policy", *_NAT),
        _needs_type("loadBalancerClass", "load_balancer_class", "LoadBalancer"),
        _needs_type(
            "loadBalancerSourceRanges",
            "load_balancer_source_ranges",
            "LoadBalancer",
            absent="!has({field}) || size({field}) == 0",
        ),
        Rule(
            "!has(oldSelf.type) || oldSelf.type != 'LoadBalancer' || self.type != 'LoadBalancer' || "
            "(has(self.loadBalancerClass) ? self.loadBalancerClass : '') == "
            "(has(oldSelf.loadBalancerClass) ? oldSelf.loadBalancerClass : '')",
            "spec.service.loadBalancerClass cannot change while spec.service.type is LoadBalancer: set the type to "
            "ClusterIP first, and then both",
            lambda self: True,
        ),
        Rule(
            "!has(self.loadBalancerSourceRanges) || self.loadBalancerSourceRanges.all(range, isCIDR(range))",
            "spec.service.loadBalancerSourceRanges has an entry that is not a network: write for example 192.0.2.0/24",
            lambda self: all("/" in one and is_network(one) for one in self.load_balancer_source_ranges),
        ),
        Rule(
            "!has(self.ipFamilies) || size(self.ipFamilies) < 2 || self.ipFamilies[0] != self.ipFamilies[1]",
            "spec.service.ipFamilies has one family twice: remove one of the two",
            lambda self: len(set(self.ip_families)) == len(self.ip_families),
        ),
        Rule(
            "!has(self.ipFamilies) || size(self.ipFamilies) < 2 || "
            "(has(self.ipFamilyPolicy) && self.ipFamilyPolicy != 'SingleStack')",
            "spec.service.ipFamilies has two families, and spec.service.ipFamilyPolicy allows one: write "
            "PreferDualStack or RequireDualStack, or remove a family",
            lambda self: len(self.ip_families) < 2 or self.ip_family_policy not in (None, "SingleStack"),
        ),
        *none_of_ours("spec.service", "labels"),
    )


class GatewaySpec(ApiModel):
    parent_refs: Annotated[tuple[Opaque, ...], *at_most(16)] = ()
    """Gateways that the HTTPRoute attaches to; at least one."""
    hostnames: Annotated[tuple[Host, ...], *at_most(16)] = ()
    """Host names of the service."""
    path: UrlPath = "/"
    """Path prefix of the service."""
    matches: Annotated[tuple[Opaque, ...], *at_most(16)] = ()
    """Requests that are the service's, by path, headers, query or method, in the place of `path`."""
    filters: Annotated[tuple[Opaque, ...], *at_most(16)] = ()
    """What the Gateway does to each request or response, as in an HTTPRoute."""
    timeouts: bool = True
    """Whether the route has time-outs that follow the server's, if the cluster's HTTPRoute has such fields."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Labels of the HTTPRoute, beside the operator's."""
    annotations: Annotations = Field(default_factory=dict[str, str])
    """Annotations of the HTTPRoute."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.parentRefs) && size(self.parentRefs) > 0",
            "spec.gateway.parentRefs is empty, so no Gateway takes the route: name one, for example "
            "parentRefs: [{name: public, namespace: gateways}]; or remove spec.gateway",
            lambda self: bool(self.parent_refs),
        ),
        unambiguous(
            "spec.gateway.path contains //, /./, /../ or %2F, which Kubernetes refuses: write the path without them"
        ),
        Rule(
            "self.path == '/' || !has(self.matches) || size(self.matches) == 0",
            "spec.gateway has both path and matches: remove path, and write it into each of the matches",
            lambda self: self.path == "/" or not self.matches,
        ),
        *none_of_ours("spec.gateway", "labels"),
    )

    @property
    def prefix(self) -> str:
        """The path without a slash at its end: empty for /."""
        return self.path.rstrip("/")


class NetworkPolicySpec(ApiModel):
    allow_from: Annotated[tuple[Opaque, ...], *at_most(32)] | None = None
    """Peers that may send requests. Absent: all; an empty list: none."""
    metrics_from: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers that may scrape the metrics."""
    allow_to: Annotated[tuple[Opaque, ...], *at_most(32)] = ()
    """Peers, and their ports, that the server may connect to."""
