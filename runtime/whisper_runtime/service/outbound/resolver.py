"""The addresses of a name, by the system's resolver, in threads of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

from whisper_runtime.service.outbound.addresses import IPAddress
from whisper_runtime.service.outbound.errors import OutboundError

THREADS: Final = 4
RESOLVE_SECONDS: Final = 10.0
NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

Resolve = Callable[[str], Awaitable[Sequence[IPAddress]]]
"""The addresses of a host, the best one first and at least one; raises OutboundError."""


class SystemResolver:
    """Its threads are few and do nothing else: a name server that does not answer holds up no other work."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "resolve")

    async def __call__(self, host: str) -> Sequence[IPAddress]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                return await loop.run_in_executor(self._pool, _addresses, host)
        except TimeoutError:
            raise OutboundError("TooSlow", f"is on {host}, whose address was not found in time") from None
        except socket.gaierror as error:
            if error.errno in NO_SUCH_NAME:
                raise OutboundError("NotReadable", f"is on {host}, a host that does not exist") from None
            raise OutboundError("Failed", f"is on {host}, whose address cannot be found now") from None


def _addresses(host: str) -> Sequence[IPAddress]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))
