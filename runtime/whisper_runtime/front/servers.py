"""The servers that are ready, and which of them is given the next request; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST_TAKING: Final = 8
"""Bodies that one server is sent at a time. It keeps the order in which requests are let go, and bounds their memory;
how many of them the server works on is for the server to say."""
REST_SECONDS: Final = 1.0
"""For which a server is given nothing that broke a connection off, could not be reached, or leaves."""


class ServerAddress(NamedTuple):
    host: str
    """An address, or a name."""
    port: int

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(eq=False)
class ReadyServer:
    address: ServerAddress
    is_ready: bool = True
    active: int = 0
    """Requests of this front that it has not answered to the end."""
    taking: int = 0
    """Those of them whose bodies are on their way."""
    rests_until: float = 0.0

    def may_take(self, now: float) -> bool:
        return self.is_ready and self.taking < MOST_TAKING and self.rests_until <= now


def chosen_server(
    servers: Iterable[ReadyServer], now: float, but: Collection[ServerAddress] = ()
) -> ReadyServer | None:
    """The server with the fewest requests of this front, of those that may take one and are not in `but`.

    None: there is none now.
    """
    free = [one for one in servers if one.may_take(now) and one.address not in but]
    return min(free, key=lambda one: one.active, default=None)


def parse_servers(setting: str) -> tuple[ServerAddress, ...]:
    """The targets of WHISPER_SERVERS, which has the pattern of its setting."""
    targets = (one.rpartition(":") for one in setting.split(","))
    return tuple(ServerAddress(host, int(port)) for host, _, port in targets)
