"""Where requests wait for a server: clients take turns, however many requests each of them has."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from itertools import takewhile
from typing import NamedTuple

from whisper_runtime.contract.front import LoadReport
from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.front.client_turns import ClientTurns
from whisper_runtime.front.servers import REST_SECONDS, KnownServer, RequestWork, ServerAddress, chosen_server


class WaitingLine(NamedTuple):
    """The requests of one client that wait for the same: what needs no row is not behind what does."""

    client: str
    needs_row: bool


class HeldRequest:
    """A request that waits for a server; `server` is there once `let_go` is done."""

    def __init__(self, turnstile: Turnstile, work: RequestWork) -> None:
        self._turnstile = turnstile
        self.work = work
        self.line = WaitingLine(work.client, work.needs_row)
        self.let_go: asyncio.Future[KnownServer] = asyncio.get_running_loop().create_future()

    @property
    def server(self) -> KnownServer:
        return self.let_go.result()

    def sent(self) -> None:
        """Notes that the server has the whole body: the next request may be let go."""
        if self.work.arrived is None:
            self._turnstile.arrive(self.work)


class Turnstile:
    """Holds requests and the servers, in the event loop's thread; looks at both whenever one of them changes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._servers: dict[ServerAddress, KnownServer] = {}
        self._waiting: dict[WaitingLine, deque[HeldRequest]] = {}
        """In the order in which their first requests came."""
        self._held_audio: dict[str, float] = defaultdict(float)
        """Seconds of audio of each client that wait."""
        self._turns = ClientTurns()
        self._is_closed = False

    @property
    def servers(self) -> tuple[KnownServer, ...]:
        return tuple(self._servers.values())

    @property
    def ready_servers(self) -> int:
        return sum(one.is_ready for one in self.servers)

    @property
    def queued_at_servers(self) -> float:
        """Seconds of audio that wait for a row at the servers that are ready."""
        return sum(one.queued for one in self.servers if one.is_ready)

    @property
    def held_audio(self) -> float:
        """Seconds of audio that wait here."""
        return sum(tuple(self._held_audio.values()))

    @property
    def held_requests(self) -> list[HeldRequest]:
        """Those that wait, in no order."""
        return [one for line in self._waiting.values() for one in line]

    @property
    def speed(self) -> float:
        """Seconds of audio that all ready servers together transcribe in a second; 0: none is ready."""
        return sum(one.load.speed for one in self.servers if one.load and one.load.is_ready)

    def audio_ahead(self, work: RequestWork) -> float:
        """Seconds of audio that are served before `work`, which waits already, or would be the last of its client's.

        Of another client that is what waits of it, and no more than the client itself has had by then.
        """
        if work.seconds is None:
            return 0.0
        line = self._waiting.get(WaitingLine(work.client, needs_row=True), ())
        before = sum(one.work.seconds or 0.0 for one in takewhile(lambda one: one.work is not work, line))
        own = before + work.seconds
        others = sum(min(seconds, own) for client, seconds in self._held_audio.items() if client != work.client)
        return self.queued_at_servers + before + others

    @property
    def waiting_requests(self) -> int:
        return sum(map(len, self._waiting.values()))

    def note_load(self, address: ServerAddress, load: LoadReport, asked: float) -> None:
        """Notes the answer of a server to a question of the time `asked`, by the turnstile's clock."""
        self._servers.setdefault(address, KnownServer(address)).report(load, asked)
        self.let_go()

    def note_gone(self, address: ServerAddress) -> None:
        """Notes that a server is not there any more; what it has it goes on with."""
        if (server := self._servers.get(address)) is None:
            return
        server.load = None
        if not server.work:
            del self._servers[address]

    def others(self, but: Collection[ServerAddress]) -> bool:
        """Whether a server is ready that is not in `but`."""
        return any(one.is_ready and one.address not in but for one in self._servers.values())

    def rest(self, server: KnownServer) -> None:
        """Lets `server` be for a while."""
        server.rests_until = self._clock() + REST_SECONDS

    @contextmanager
    def enter(self, work: RequestWork) -> Generator[HeldRequest]:
        """A request of that work, which waits for its turn, and then has a server until the block ends.

        Raises HttpError (503), as its `let_go` does, where the front has closed.
        """
        if self._is_closed:
            raise front_leaves()
        held = HeldRequest(self, work)
        self._waiting.setdefault(held.line, deque()).append(held)
        if work.seconds is not None:
            self._held_audio[work.client] += work.seconds
        self.let_go()
        try:
            yield held
        finally:
            self._leave(held)

    def arrive(self, work: RequestWork) -> None:
        """Notes that the server of `work` has the whole of it."""
        work.arrived = self._clock()
        self.let_go()

    def close(self) -> None:
        """Refuses all that wait, and all that come from now on."""
        self._is_closed = True
        for held in self.held_requests:
            self.refuse(held, front_leaves())

    def refuse(self, held: HeldRequest, error: HttpError) -> None:
        """Ends the wait of a request by that error."""
        self._remove(held)
        held.let_go.set_exception(error)

    def let_go(self) -> None:
        """Gives waiting requests their servers, each time that of the client whose turn it is, as long as it can."""
        now = self._clock()
        lines = [(self._turns.due(line.client), number, line) for number, line in enumerate(self._waiting)]
        heapq.heapify(lines)
        while lines:
            _, number, line = heapq.heappop(lines)
            held = self._waiting[line][0]
            if server := chosen_server(self._servers.values(), held.work, now):
                self._give(server, held)
                if line in self._waiting:
                    heapq.heappush(lines, (self._turns.due(line.client), number, line))

    def _give(self, server: KnownServer, held: HeldRequest) -> None:
        self._remove(held)
        if held.work.seconds is not None:
            self._turns.serve(held.work.client, held.work.seconds)
        server.give(held.work)
        held.let_go.set_result(server)

    def _leave(self, held: HeldRequest) -> None:
        if not held.let_go.done():
            held.let_go.cancel()
            self._remove(held)
        elif held.let_go.exception() is None:
            held.server.end(held.work)
            if held.server.load is None:
                self.note_gone(held.server.address)
            self.let_go()

    def _remove(self, held: HeldRequest) -> None:
        line = self._waiting[held.line]
        line.remove(held)
        if held.work.seconds is not None:
            self._held_audio[held.work.client] -= held.work.seconds
        if not line:
            del self._waiting[held.line]
            if held.line.needs_row:
                del self._held_audio[held.work.client]


def front_leaves() -> HttpError:
    """503 for what no server has had by the time that the front ends."""
    message = "The service's front is shutting down, and no server was ready: try again, and another will answer."
    return unavailable(message, "shutting_down", 1)
