from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import ip_network

import pytest

from tests.fakes.mirror import Mirror, serving, whole
from tests.fakes.resolver import FakeResolver
from whisper_runtime.contract.outbound import AllowedHost
from whisper_runtime.service.outbound.resolver import Resolve
from whisper_runtime.service.outbound.transport import GuardedTransport, OutboundPolicy

LOOPBACK = ("127.0.0.0/8", "::1/128")
TransportOf = Callable[..., GuardedTransport]


@pytest.fixture
def server() -> Iterator[Mirror]:
    with serving(Mirror(b"speech", [whole])) as mirror:
        yield mirror


@pytest.fixture
async def transport_of() -> AsyncIterator[TransportOf]:
    """A transport for hosts such as `http://files.test:8080`; loopback is listed unless a test lists something else."""
    opened: list[GuardedTransport] = []

    def of(
        *hosts: str,
        resolve: Resolve | None = None,
        networks: tuple[str, ...] = LOOPBACK,
        cluster: tuple[str, ...] = (),
        ca: str | None = None,
    ) -> GuardedTransport:
        listed = tuple(map(ip_network, networks))
        policy = OutboundPolicy(tuple(map(AllowedHost.parse, hosts)), listed, tuple(map(ip_network, cluster)))
        resolver = resolve or FakeResolver(files_test=["127.0.0.1"])
        opened.append(GuardedTransport(policy, resolver, ssl.create_default_context(cafile=ca)))
        return opened[-1]

    yield of
    for transport in opened:
        await transport.aclose()
