"""Asks every server, again and again, whether it is ready and what it has left.

A name may have addresses of pods that still start: so a server is found as soon as it is ready, and not when the
cluster's DNS has forgotten that there was none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from whisper_runtime.contract.front import LoadReport
from whisper_runtime.front.load_client import NoServer
from whisper_runtime.front.servers import ServerAddress
from whisper_runtime.front.turnstile import Turnstile

log = logging.getLogger(__name__)

ASK_SECONDS: Final = 0.2
"""Between two questions to one server; requests that are held meanwhile wait for no longer."""
MOST_QUESTIONS: Final = 100.0
"""A second, to all servers together: of more than 20, each is asked more seldom."""
SILENT_SECONDS: Final = 10.0
"""Until a server is given nothing more that does not answer, and refuses no connection: as the kubelet has it."""

AskLoad = Callable[[ServerAddress], Awaitable[LoadReport]]
"""Raises NoServer, and TimeoutError."""


class ServerWatch:
    def __init__(self, turnstile: Turnstile, ask: AskLoad, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: the turnstile's."""
        self._turnstile = turnstile
        self._ask = ask
        self._clock = clock
        self._watched: dict[ServerAddress, asyncio.Task[None]] = {}

    def set_addresses(self, addresses: Iterable[ServerAddress]) -> None:
        """Notes where servers may be from now on."""
        wanted = tuple(addresses)
        for address in self._watched.keys() - set(wanted):
            self._watched.pop(address).cancel()
            self._turnstile.note_gone(address)
        for address in wanted:
            if address not in self._watched:
                self._watched[address] = asyncio.create_task(self._watch(address), name=f"watch {address.authority}")

    def close(self) -> None:
        """Asks nobody any more."""
        for task in self._watched.values():
            task.cancel()

    async def _watch(self, address: ServerAddress) -> None:
        answered = self._clock()
        while True:
            asked = self._clock()
            try:
                load = await self._ask(address)
            except NoServer as error:
                self._note_gone(address, error)
            except TimeoutError as error:
                if self._clock() - answered >= SILENT_SECONDS:
                    self._note_gone(address, error)
            else:
                answered = self._clock()
                self._turnstile.note_load(address, load, asked)
            await asyncio.sleep(max(ASK_SECONDS, len(self._watched) / MOST_QUESTIONS))

    def _note_gone(self, address: ServerAddress, error: Exception) -> None:
        log.debug("no server at %s: %s", address.cluster_authority, error)
        self._turnstile.note_gone(address)
