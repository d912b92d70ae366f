"""The spec's part about the addresses that are told of the end of a job."""

from __future__ import annotations

from typing import ClassVar

from whisper_operator.api.base import ApiModel, Rule
from whisper_operator.api.scalars import LocalRef
from whisper_operator.api.spec.outbound import AllowedHosts, PrivateNetworks, outbound_rules


class WebhooksSpec(ApiModel):
    allowed_hosts: AllowedHosts = ()
    """Hosts that events are sent to; at least one. By https, and on port 443, unless the entry has another scheme or
    port; `*.` stands for every host below a name."""
    private_networks: PrivateNetworks = ()
    """Networks of such hosts that are not public. Empty: a host with any other than a public address is refused."""
    secret_ref: LocalRef
    """Secret whose values sign the events, each of them `whsec_` and base64: receivers verify by one of them."""

    rules: ClassVar[tuple[Rule, ...]] = outbound_rules(
        "spec.jobs.webhooks", nothing="sent", example="hooks.example.com"
    )
