"""Looks up, once a second, where servers may be: at the addresses of a name (a headless Service)."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from whisper_runtime.front.servers import ServerAddress

log = logging.getLogger(__name__)

LOOK_UP_SECONDS: Final = 1.0
NO_ADDRESS: Final = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})
"""What a resolver answers for a Service without pods; any other error says nothing of them."""

FoundAddresses = tuple[ServerAddress, ...]
LookUp = Callable[[ServerAddress], Awaitable[FoundAddresses]]
"""The addresses of a target now, none where it has none; raises OSError where nobody knows."""


class Discovery:
    def __init__(
        self,
        targets: Sequence[ServerAddress],
        on_found: Callable[[FoundAddresses], None],
        look_up: LookUp,
    ) -> None:
        """`on_found` gets the addresses of all targets, after each look-up."""
        self._found: dict[ServerAddress, FoundAddresses] = {target: () for target in targets}
        self._on_found = on_found
        self._look_up = look_up
        self._failing: set[ServerAddress] = set()

    async def watch(self) -> None:
        """Looks them up until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_UP_SECONDS)

    async def look(self) -> None:
        """Looks all up once. A target that cannot be looked up keeps the addresses that it had."""
        before = self.addresses
        await asyncio.gather(*map(self._look_at, self._found))
        if self.addresses != before:
            log.info("addresses of servers: %d, after %d", len(self.addresses), len(before))
        self._on_found(self.addresses)

    @property
    def addresses(self) -> FoundAddresses:
        return tuple(dict.fromkeys(one for found in self._found.values() for one in found))

    async def _look_at(self, target: ServerAddress) -> None:
        try:
            self._found[target] = await self._look_up(target)
        except OSError as error:
            if target not in self._failing:
                log.warning("%s cannot be looked up, its servers stay the same: %s", target.host, error)
            self._failing.add(target)
        else:
            self._failing.discard(target)


async def look_up(target: ServerAddress) -> FoundAddresses:
    """The addresses of the system's resolver. Of a name with both families those of the first: a pod has one of each.

    Raises OSError where the resolver fails.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in NO_ADDRESS:
            return ()
        raise
    family = found[0][0]
    return tuple(sorted({target._replace(host=str(one[4][0])) for one in found if one[0] == family}))
