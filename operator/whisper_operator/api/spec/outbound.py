"""What the parts of a spec have in common by which clients name servers that ours connects to."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated

from whisper_operator.api.base import Rule, at_most, text
from whisper_operator.api.scalars import AddressRange, is_network
from whisper_runtime.contract.outbound import ALLOWED_HOST_LENGTH, ALLOWED_HOST_PATTERN

AllowedHosts = Annotated[
    tuple[
        Annotated[
            str,
            *text(
                ALLOWED_HOST_PATTERN,
                "is not a host that can be allowed; for example files.example.com, *.example.com, or "
                "http://minio.storage:9000; no IP address, no path",
                longest=ALLOWED_HOST_LENGTH,
            ),
        ],
        ...,
    ],
    *at_most(64),
]
PrivateNetworks = Annotated[tuple[AddressRange, ...], *at_most(32)]


def outbound_rules(part: str, *, nothing: str, example: str) -> tuple[Rule, ...]:
    """The rules of `part`, a path of the spec with `allowedHosts` and `privateNetworks`.

    `nothing`: what can happen with no host; `example`: a host.
    """
    return (
        Rule(
            "has(self.allowedHosts) && size(self.allowedHosts) > 0",
            f"{part}.allowedHosts is empty, so nothing may be {nothing}: name a host, for example {example}; or remove "
            f"{part}",
            lambda self: bool(self.allowed_hosts),
        ),
        Rule(
            "!has(self.privateNetworks) || self.privateNetworks.all(network, isIP(network) || isCIDR(network))",
            f"{part}.privateNetworks has an entry that is not an address or a network: write for example 10.20.0.0/16",
            lambda self: all(map(is_network, self.private_networks)),
        ),
        Rule(
            "!has(self.privateNetworks) || !self.privateNetworks.exists(network, network.endsWith('/0'))",
            f"{part}.privateNetworks permits every address, and so the cluster's own and the cloud's metadata: "
            "name the networks",
            lambda self: all(ip_network(network, strict=False).prefixlen for network in self.private_networks),
        ),
    )
