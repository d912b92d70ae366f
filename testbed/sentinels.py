"""A primary, its replica, and sentinels that watch them: a real failover, on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import RedisError

from testbed.cluster.controlplane import free_ports
from testbed.killable_server import LOOPBACK, made, until
from testbed.store_server import PASSWORD, USER, StoreProgram, StoreServer, command_of

NAME: Final = "speech"
"""By which the sentinels know the primary."""
SENTINELS: Final = 3
DOWN_MILLISECONDS: Final = 2_000
"""Without an answer, after which a sentinel takes a server for lost.

With a quarter of that, on a busy machine, sentinels took a primary for lost that they had just made one, and put the
other in its place, which had come back 0.7 s before and not read what it had missed: two failures at once, by which any
two servers lose what they had accepted.
"""
SETTINGS: Final = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


class WatchedStore:
    def __init__(self, program: StoreProgram, directory: Path, address: str = LOOPBACK) -> None:
        """`address`: at which all of it listens."""
        self._directory, self._address = directory, address
        self.servers = [StoreServer(program, made(directory / f"server-{n}"), address=address) for n in range(2)]
        self._command = command_of(program)
        self._ports = free_ports(SENTINELS)
        self._sentinels: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        hosts = ",".join(f"{self._address}:{port}" for port in self._ports)
        return f"redis+sentinel://{USER}:{PASSWORD.replace('@', '%40').replace('/', '%2F')}@{hosts}/{NAME}"

    def start(self) -> None:
        """Starts all of it; returns once the replica follows, and the sentinels know each other and both servers."""
        first, second = self.servers
        first.start(extra=SETTINGS)
        second.start(extra=(*SETTINGS, "--replicaof", self._address, str(first.port)))
        for port in self._ports:
            file = self._directory / f"sentinel-{port}.conf"
            file.write_text(
                f"port {port}\nbind {self._address}\nprotected-mode no\ndir {self._directory}\n"
                f"sentinel monitor {NAME} {self._address} {first.port} 2\n"
                f"sentinel down-after-milliseconds {NAME} {DOWN_MILLISECONDS}\n"
                f"sentinel failover-timeout {NAME} 5000\n"
            )
            with (self._directory / "log").open("ab") as log:
                command = (self._command, str(file), "--sentinel")
                self._sentinels.append(subprocess.Popen(command, stdout=log, stderr=log))
        until("the replica follows, and the sentinels know all", self.is_whole)

    def primary(self) -> StoreServer:
        """As the sentinels know it."""
        (_, port) = self._ask(self._ports[0], "SENTINEL GET-MASTER-ADDR-BY-NAME", NAME)
        return next(one for one in self.servers if one.port == int(port))

    def kill_primary(self) -> StoreServer:
        """Returns the one that was killed; the other becomes the primary by itself."""
        killed = self.primary()
        killed.kill()
        return killed

    def rejoin(self, server: StoreServer) -> None:
        """Starts the one that was killed, empty: the sentinels make it a replica."""
        other = next(one for one in self.servers if one is not server)
        server.start(extra=(*SETTINGS, "--replicaof", self._address, str(other.port)))

    def close(self) -> None:
        for sentinel in self._sentinels:
            sentinel.kill()
            sentinel.wait()
        for server in self.servers:
            server.kill()

    def is_whole(self) -> bool:
        """Whether the primary has its replica, and each sentinel knows both and the others."""
        try:
            if self.primary().ask("INFO", "replication").get("slave0", {}).get("state") != "online":
                return False
            found = [self._ask(port, "SENTINEL MASTER", NAME) for port in self._ports]
        except RedisError:
            return False
        return all(int(one["num-slaves"]) == 1 and int(one["num-other-sentinels"]) == SENTINELS - 1 for one in found)

    def _ask(self, port: int, *words: str) -> Any:
        with Redis(host=self._address, port=port, protocol=2, decode_responses=True) as sentinel:
            return cast(Any, sentinel).execute_command(*words)


@contextmanager
def watched(program: StoreProgram, directory: Path, address: str = LOOPBACK) -> Generator[WatchedStore]:
    """All of it, until the block ends."""
    store = WatchedStore(program, made(directory), address)
    try:
        store.start()
        yield store
    finally:
        store.close()
