"""A real S3 server on this machine, which can be killed and started again on its port; its objects are files."""

from __future__ import annotations

import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.cluster import binaries
from testbed.cluster.controlplane import free_ports
from testbed.killable_server import LOOPBACK, KillableServer

KEYS: Final = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "hunter2hunter2"}
REGION: Final = "eu-north-1"


class S3Server(KillableServer):
    """It has the buckets that are folders of `root`; its objects stay when it is killed."""

    def __init__(self, root: Path, directory: Path, extra: Sequence[str] = (), address: str = LOOPBACK) -> None:
        """`directory`: for its accounts and its log; `extra`: options of versitygw; `address`: where it listens."""
        super().__init__(directory)
        self._program = binaries.ensure("versitygw") / "versitygw"
        self.root, self._directory, self._extra, self._address = root, directory, extra, address
        (self.port,) = free_ports(1)

    def start(self) -> None:
        """Returns once it listens."""
        keys = ("--access", KEYS["AWS_ACCESS_KEY_ID"], "--secret", KEYS["AWS_SECRET_ACCESS_KEY"])
        place = ("--port", f"{self._address}:{self.port}", "--region", REGION, "--iam-dir", str(self._directory))
        command = (str(self._program), *keys, *place, *self._extra, "posix", str(self.root))
        self._start(command, self._listens)

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex((self._address, self.port)) == 0

    @property
    def endpoint(self) -> str:
        return f"http://{self._address}:{self.port}"

    def secret(self, directory: Path, **changed: str) -> str:
        """A directory with its keys, as a Secret is mounted."""
        directory.mkdir(exist_ok=True)
        for name, value in (KEYS | changed).items():
            (directory / name).write_text(value)
        return str(directory)


@contextmanager
def running(directory: Path, buckets: Sequence[str], address: str = LOOPBACK) -> Generator[S3Server]:
    """A server that has these buckets, until the block ends."""
    accounts, root = directory / "accounts", directory / "objects"
    accounts.mkdir(parents=True)
    for bucket in buckets:
        (root / bucket).mkdir(parents=True)
    server = S3Server(root, accounts, address=address)
    server.start()
    try:
        yield server
    finally:
        server.kill()
