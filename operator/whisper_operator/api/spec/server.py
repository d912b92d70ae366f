"""The spec's parts about requests: limits of the server, clients and their keys, and what replicas share."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from whisper_operator.api.base import ApiModel, Rule, at_most, cel_list, text
from whisper_operator.api.scalars import (
    AddressRange,
    BatchSize,
    ByteSize,
    Duration,
    KeyRef,
    LocalRef,
    Opaque,
    is_network,
)
from whisper_operator.api.spec.outbound import AllowedHosts, PrivateNetworks, outbound_rules
from whisper_operator.api.units import size_bytes
from whisper_runtime.contract.config import ENV_NAMES


class CorsSpec(ApiModel):
    allow_origins: Annotated[
        tuple[
            Annotated[
                str,
                *text(
                    r"^(\*|https?://[!-.0-~]+)$",
                    "is not a valid origin; for example https://app.example.com, or * for any",
                    longest=512,
                ),
            ],
            ...,
        ],
        *at_most(64),
    ] = ()
    """Origins whose pages may call the service, such as https://app.example.com; * for any."""


class AudioUrlsSpec(ApiModel):
    allowed_hosts: AllowedHosts = ()
    """Hosts that recordings are fetched from; at least one. By https, and on port 443, unless the entry has another
    scheme or port; `*.` stands for every host below a name."""
    private_networks: PrivateNetworks = ()
    """Networks of such hosts that are not public. Empty: a host with any other than a public address is refused."""

    rules: ClassVar[tuple[Rule, ...]] = outbound_rules(
        "spec.server.audioUrls", nothing="fetched", example="files.example.com"
    )


class EnvVarSpec(ApiModel):
    name: Annotated[
        str,
        *text(
            "^[-_a-zA-Z][-._a-zA-Z0-9]*$",
            "is not a valid name of an environment variable; for example HTTPS_PROXY",
            longest=256,
        ),
    ]
    """Name of the variable."""
    value: Annotated[str, Field(max_length=4096)] | None = None
    """Value of the variable."""
    value_from: Opaque | None = None
    """Source of the value, as in a pod."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.valueFrom) || !has(self.value) || self.value == ''",
            "spec.server.env has an entry with both value and valueFrom: remove one of the two",
            lambda self: self.value_from is None or not self.value,
        ),
    )


class ServerSpec(ApiModel):
    max_upload_size: ByteSize = "100Mi"
    """Maximum size of a request body; a larger one gets 413."""
    max_audio_duration: Duration = "4h"
    """Maximum length of a recording; a longer one gets 413."""
    request_timeout: Duration = "300s"
    """Maximum time of a synchronous request; the time-outs of every proxy are derived from it."""
    max_queued_audio: Duration = "30m"
    """Maximum audio that waits in one pod; beyond it clients get 429 with Retry-After."""
    max_batch_size: BatchSize = "auto"
    """Windows of 30 s that are decoded together, as far as memory allows; auto is 8 on a CPU and 64 on a GPU."""
    condition_on_previous_text: bool = True
    """Give the text so far to the model as context, as openai-whisper does."""
    ui: bool = True
    """Serve a page at `/` by which people try the service in a browser; it asks them for a key where clients need
    one."""
    cors: CorsSpec = CorsSpec()
    """Cross-origin requests from browsers; none are allowed by default."""
    trusted_proxies: Annotated[
        tuple[AddressRange, ...],
        *at_most(32),
    ] = ()
    """Addresses and networks of the proxies before the service. A client without an API key is then told apart by the
    last address in X-Forwarded-For that is none of them, else by the address that connects."""
    audio_urls: AudioUrlsSpec | None = None
    """Recordings that a request names by a URL, in the place of a file. Absent: none are fetched."""
    env: Annotated[
        tuple[EnvVarSpec, ...],
        *at_most(64, key="name"),
    ] = ()
    """Additional environment variables of the server's container."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.trustedProxies) || self.trustedProxies.all(proxy, isIP(proxy) || isCIDR(proxy))",
            "spec.server.trustedProxies has an entry that is not an address or a network: write for example 10.0.0.0/8",
            lambda self: all(map(is_network, self.trusted_proxies)),
        ),
        Rule(
            "!has(self.trustedProxies) || !self.trustedProxies.exists(proxy, proxy.endsWith('/0'))",
            "spec.server.trustedProxies trusts every address, so that a client may call itself anything: name the "
            "networks of your proxies",
            lambda self: all(ip_network(proxy, strict=False).prefixlen for proxy in self.trusted_proxies),
        ),
        Rule(
            f"!has(self.env) || self.env.all(variable, !(variable.name in {cel_list(sorted(ENV_NAMES))}))",
            "spec.server.env must not set a variable that the operator sets ("
            + ", ".join(sorted(ENV_NAMES))
            + "): remove it and set the spec's field for it",
            lambda self: not ENV_NAMES & {variable.name for variable in self.env},
        ),
    )


class AuthSpec(ApiModel):
    secret_ref: LocalRef
    """Secret of API keys: each key is the name of a client, its value that client's API key."""


class RateLimitSpec(ApiModel):
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Requests that one client may send in a minute. Clients are identified by API key, else by address."""
    audio_minutes_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Minutes of audio that one client may send in an hour."""


class ResultCacheSpec(ApiModel):
    size: ByteSize = "128Mi"
    """Memory of each pod for results, beside what its model takes; those that were not asked for the longest make
    room. An hour of speech takes about 0.4 MB, or 1 MB with the times of words. With `spec.redis` the store has as much
    for all pods, and the oldest results make room there."""
    ttl: Duration = "24h"
    """Time for which a result is kept at most."""
    scope: Literal["Client", "Service"] = "Client"
    """Whose results a client gets: its own, or those of all clients of the service. Clients are identified by API key,
    else by address."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.size) || !quantity(self.size).isLessThan(quantity('1Mi'))",
            "spec.resultCache.size has no room for a result: ask for at least 1Mi",
            lambda self: size_bytes(self.size) >= 1024**2,
        ),
    )


class RedisSpec(ApiModel):
    secret_key_ref: KeyRef
    """Secret and key with the URL of a Valkey (8 or later) or Redis (7 or later) that the replicas share, as
    rediss://user:password@host:6379/0, or redis:// without TLS."""
    ca_config_map_key_ref: KeyRef | None = None
    """ConfigMap and key of the private certificate authority (PEM) that signed its certificate."""
