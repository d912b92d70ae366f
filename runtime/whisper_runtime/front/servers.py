"""The servers and what each of them has left, and which of them is given the next request; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.network import METRICS_PORT

MOST_TAKING: Final = 8
"""Bodies that one server is sent at a time: that keeps the order in which requests are let go, and bounds memory."""
QUEUED_AHEAD_SECONDS: Final = 0.25
"""Of its work that may wait at a server whose rows are all taken: about what passes between two reports, so that no row
stands idle. All else waits at the front, where clients take turns whatever server they get."""
FILLED_PART: Final = 0.5
"""Of a server's queue that the front fills: also the first request of a client of whom the server has none must find
room in it, and so one long recording must not take it all."""
REST_SECONDS: Final = 1.0
"""For which a server is given nothing that broke a connection off, could not be reached, or leaves."""


class ServerAddress(NamedTuple):
    host: str
    """An address, or a name."""
    port: int
    """For clients."""
    cluster_port: int = METRICS_PORT
    """For what the cluster asks of it."""

    @property
    def authority(self) -> str:
        return authority(self.host, self.port)

    @property
    def cluster_authority(self) -> str:
        return authority(self.host, self.cluster_port)


@dataclass(eq=False)
class RequestWork:
    """What one request asks of a server."""

    client: str
    seconds: float | None = None
    """Of audio that it has to transcribe, as far as the front knows; None: it takes no row of the batch."""
    but: Collection[ServerAddress] = ()
    """Servers that it is not given to."""
    ends: float | None = None
    """Until when it may wait, by the event loop's clock; None: it has all of its time."""
    arrived: float | None = None
    """When its server had the whole of it; None: it waits, or is on its way."""

    @property
    def needs_row(self) -> bool:
        return self.seconds is not None


@dataclass(eq=False)
class KnownServer:
    """One server; what it has left is what it said last, less what it was given since."""

    address: ServerAddress
    load: LoadReport | None = None
    """What it said last; None: nothing yet."""
    rests_until: float = 0.0
    free_rows: int = 0
    queued: float = 0.0
    """Seconds of audio that wait there for a row."""
    work: list[RequestWork] = field(default_factory=list[RequestWork])
    """Of this front, that it has not answered to the end."""
    _recent: list[RequestWork] = field(default_factory=list[RequestWork])
    """That of it which the last report may not count yet."""

    @property
    def is_ready(self) -> bool:
        return self.load is not None and self.load.is_ready

    @property
    def taking(self) -> int:
        """Requests whose bodies are on their way to it."""
        return sum(one.arrived is None for one in self.work)

    def report(self, load: LoadReport, asked: float) -> None:
        """Notes its answer to a question of the time `asked`."""
        self.load, self.free_rows, self.queued = load, load.free_rows, load.queued_audio_seconds
        self._recent = [one for one in self._recent if one.arrived is None or one.arrived >= asked]
        for one in self._recent:
            self._add(one.seconds or 0.0)

    def give(self, work: RequestWork) -> None:
        self.work.append(work)
        if work.needs_row:
            self._recent.append(work)
            self._add(work.seconds or 0.0)

    def end(self, work: RequestWork) -> None:
        """Notes that `work` was answered, or is not there any more: the next in line has its row."""
        self.work.remove(work)
        if work in self._recent:
            self._recent.remove(work)
        if work.needs_row and self.queued > 0:
            self.queued = max(0.0, self.queued - (work.seconds or 0.0))
        elif work.needs_row:
            self.free_rows += 1

    def may_take(self, work: RequestWork, now: float) -> bool:
        """Whether it may be sent that now."""
        if self.load is None or not self.load.is_ready or self.rests_until > now or self.taking >= MOST_TAKING:
            return False
        return work.seconds is None or self._has_room(self.load, work.client, work.seconds)

    def _has_room(self, load: LoadReport, client: str, seconds: float) -> bool:
        if self.free_rows > 0:
            return True
        most = load.queue_limit_seconds * FILLED_PART
        if all(one.client != client for one in self.work):
            # There, too, clients take turns for rows, between the windows of long recordings.
            return self.queued < most
        return self.queued < load.speed * QUEUED_AHEAD_SECONDS and seconds <= most

    def _add(self, seconds: float) -> None:
        if self.free_rows > 0:
            self.free_rows -= 1
        else:
            self.queued += seconds


def chosen_server(servers: Iterable[KnownServer], work: RequestWork, now: float) -> KnownServer | None:
    """The server at which the least audio waits, of those that may take `work`.

    Where none waits, the one with the most rows free; of equals the one with the fewest requests of this front.
    None: there is none now.
    """
    free = [one for one in servers if one.address not in work.but and one.may_take(work, now)]
    return min(free, key=lambda one: (one.queued, -one.free_rows, len(one.work)), default=None)


def parse_servers(setting: str) -> tuple[ServerAddress, ...]:
    """The targets of WHISPER_SERVERS, which has the pattern of its setting."""
    return tuple(_parsed(one) for one in setting.split(","))


def authority(host: str, port: int) -> str:
    """Host and port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _parsed(target: str) -> ServerAddress:
    host, *ports = target.split(":")
    return ServerAddress(host, *map(int, ports))
