"""A transport of httpx that connects to allowed servers alone, each at an address that was judged.

A name is resolved once for a request, all that it resolves to is judged, and the connection is made to one of just
these addresses: no second look-up can give another one. Proxies of the environment, which a client of httpx would
read, are not used: a proxy would look the name up by itself. TLS is verified for the name.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

import httpx

from whisper_runtime.contract.outbound import AllowedHost
from whisper_runtime.service.outbound.addresses import IPAddress, IPNetwork, is_permitted
from whisper_runtime.service.outbound.destination import Destination, destination
from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.outbound.resolver import Resolve, SystemResolver

log = logging.getLogger(__name__)

MOST_ADDRESSES: Final = 4
"""That are tried, one after the other."""
CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 30.0
"""The longest pause in what a server sends."""
TIMEOUTS: Final = {"connect": CONNECT_SECONDS, "read": IDLE_SECONDS, "write": IDLE_SECONDS, "pool": CONNECT_SECONDS}


@dataclass(frozen=True)
class OutboundPolicy:
    """What may be connected to; an address in `private_networks` may be any, others have to be public.

    `cluster_networks` are not public, whatever their addresses.
    """

    hosts: tuple[AllowedHost, ...]
    private_networks: tuple[IPNetwork, ...] = ()
    cluster_networks: tuple[IPNetwork, ...] = ()


class GuardedTransport(httpx.AsyncBaseTransport):
    def __init__(self, policy: OutboundPolicy, resolve: Resolve, tls: ssl.SSLContext) -> None:
        self._policy = policy
        self._resolve = resolve
        # No connection is kept: one to an address serves any name there, and was verified for one of them.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(verify=tls, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, its body unread. Raises OutboundError, before anything is connected to where it is not allowed.

        The timeouts are TIMEOUTS unless the request has others.
        """
        target, addresses = await self.judged(request.url)
        return await self._sent(request, target, addresses[:MOST_ADDRESSES])

    async def judged(self, url: httpx.URL) -> tuple[Destination, Sequence[IPAddress]]:
        """The server of `url`, and the addresses that its name has now; raises OutboundError where it is not allowed.

        It connects to nothing: a later request has a judgement of its own.
        """
        try:
            target = destination(url, self._policy.hosts)
            return target, await self._permitted_addresses(target.host)
        except OutboundError as error:
            log.warning("no connection: a URL %s", error.problem)
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _permitted_addresses(self, host: str) -> Sequence[IPAddress]:
        addresses, policy = await self._resolve(host), self._policy
        if not all(is_permitted(one, policy.private_networks, policy.cluster_networks) for one in addresses):
            raise OutboundError("NotAllowed", f"is on {host}, at an address to which this server does not connect")
        return addresses

    async def _sent(
        self, request: httpx.Request, target: Destination, addresses: Sequence[IPAddress]
    ) -> httpx.Response:
        """The response of the first of `addresses` that can be connected to."""
        failure: httpx.TransportError | None = None
        for address in addresses:
            try:
                return await self._inner.handle_async_request(_pinned(request, target, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
                if _has_certificate_problem(error):
                    break
            except httpx.TransportError as error:
                raise failed(error, target.host) from None
        assert failure is not None
        raise failed(failure, target.host) from None


def guarded_transport(
    allowed_hosts: Sequence[str], private_networks: Sequence[str], cluster_networks: Sequence[str]
) -> GuardedTransport:
    """A transport to the hosts of these settings (contract.config), by the system's resolver.

    The certificate authorities are the system's, as OpenSSL finds them (SSL_CERT_FILE, SSL_CERT_DIR).
    """
    hosts = tuple(map(AllowedHost.parse, allowed_hosts))
    policy = OutboundPolicy(hosts, _networks(private_networks), _networks(cluster_networks))
    return GuardedTransport(policy, SystemResolver(), ssl.create_default_context())


def _networks(entries: Sequence[str]) -> tuple[IPNetwork, ...]:
    return tuple(ip_network(one, strict=False) for one in entries)


def _pinned(request: httpx.Request, target: Destination, address: IPAddress) -> httpx.Request:
    """`request` to that address; its Host, and the name that TLS asks for and verifies, are still the URL's."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={"timeout": TIMEOUTS, **request.extensions, "sni_hostname": target.host},
    )


def failed(error: httpx.TransportError, host: str) -> OutboundError:
    """The error for what went wrong with the server of that name while it was connected to, or read from."""
    match error:
        case httpx.TimeoutException():
            return OutboundError("TooSlow", f"is on {host}, which did not answer in time")
        case httpx.ConnectError() if _has_certificate_problem(error):
            return OutboundError("Failed", f"is on {host}, whose certificate is not trusted")
        case httpx.ConnectError():
            return OutboundError("Failed", f"is on {host}, which cannot be reached")
        case _:
            return OutboundError("Failed", f"is on {host}, which broke the connection off")


def _has_certificate_problem(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__context__  # not __cause__, which httpcore's pool sets to None
    return error is not None
