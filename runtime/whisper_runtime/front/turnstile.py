"""Where requests wait for a server: clients take turns, however many requests each of them has."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager

from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.front.servers import REST_SECONDS, ReadyServer, ServerAddress, chosen_server


class HeldRequest:
    """A request that waits for a server; `server` is there once `let_go` is done."""

    def __init__(self, turnstile: Turnstile, client: str, but: Collection[ServerAddress]) -> None:
        self._turnstile = turnstile
        self.client = client
        self.but = but
        """Servers that it is not given to."""
        self.let_go: asyncio.Future[ReadyServer] = asyncio.get_running_loop().create_future()
        self._is_sent = False

    @property
    def server(self) -> ReadyServer:
        return self.let_go.result()

    def sent(self) -> None:
        """Notes that the server has the whole body: the next request may be let go."""
        if not self._is_sent:
            self._is_sent = True
            self.server.taking -= 1
            self._turnstile.let_go()


class Turnstile:
    """Holds requests and the servers that are ready, in the event loop's thread.

    It looks at both whenever one of them changes, and with each look-up of the servers.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._servers: dict[ServerAddress, ReadyServer] = {}
        self._waiting: OrderedDict[str, deque[HeldRequest]] = OrderedDict()
        """Of each client, in the order of their turns."""
        self._is_closed = False

    @property
    def ready_servers(self) -> int:
        return sum(one.is_ready for one in tuple(self._servers.values()))

    @property
    def waiting_requests(self) -> int:
        return sum(map(len, self._waiting.values()))

    def set_ready(self, addresses: Iterable[ServerAddress]) -> None:
        """Notes which servers are ready now; what a server has that is not any more, it goes on with."""
        ready = tuple(addresses)
        self._servers |= {one: ReadyServer(one) for one in ready if one not in self._servers}
        for address, server in tuple(self._servers.items()):
            server.is_ready = address in ready
            if not server.is_ready and not server.active:
                del self._servers[address]
        self.let_go()

    def others(self, but: Collection[ServerAddress]) -> bool:
        """Whether a server is ready that is not in `but`."""
        return any(one.is_ready and one.address not in but for one in self._servers.values())

    def rest(self, server: ReadyServer) -> None:
        """Lets `server` be for a while."""
        server.rests_until = self._clock() + REST_SECONDS

    @contextmanager
    def enter(self, client: str, but: Collection[ServerAddress] = ()) -> Generator[HeldRequest]:
        """A request of that client, which waits for its turn, and then has a server until the block ends.

        Raises HttpError (503), as its `let_go` does, where the front has closed.
        """
        if self._is_closed:
            raise front_leaves()
        held = HeldRequest(self, client, but)
        self._waiting.setdefault(client, deque()).append(held)
        self.let_go()
        try:
            yield held
        finally:
            self._leave(held)

    def close(self) -> None:
        """Refuses all that wait, and all that come from now on."""
        self._is_closed = True
        for held in [one for queue in self._waiting.values() for one in queue]:
            held.let_go.set_exception(front_leaves())
        self._waiting.clear()

    def let_go(self) -> None:
        """Gives waiting requests their servers, a client's first one after another client's, as long as it can."""
        in_vain = 0
        while in_vain < len(self._waiting) and chosen_server(self._servers.values(), self._clock()):
            client, queue = next(iter(self._waiting.items()))
            self._waiting.move_to_end(client)
            server = chosen_server(self._servers.values(), self._clock(), queue[0].but)
            if server is None:
                in_vain += 1
                continue
            in_vain = 0
            self._give(server, queue.popleft())
            if not queue:
                del self._waiting[client]

    def _give(self, server: ReadyServer, held: HeldRequest) -> None:
        server.active += 1
        server.taking += 1
        held.let_go.set_result(server)

    def _leave(self, held: HeldRequest) -> None:
        if held.let_go.done():
            if held.let_go.exception() is None:
                held.server.active -= 1
                held.sent()
            return
        held.let_go.cancel()
        queue = self._waiting[held.client]
        queue.remove(held)
        if not queue:
            del self._waiting[held.client]


def front_leaves() -> HttpError:
    """503 for what no server has had by the time that the front ends."""
    message = "The service's front is shutting down, and no server was ready: try again, and another will answer."
    return unavailable(message, "shutting_down", 1)
