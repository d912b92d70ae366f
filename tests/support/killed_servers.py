"""Server processes without a model that die at a write, one after the other: tests.fakes.killed_process runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from testbed.cluster.controlplane import free_ports
from tests.fakes.webhook_receiver import SECRET, WebhookReceiver, receiving
from whisper_runtime.contract.config import RuntimeConfig

SECONDS: Final = 180
"""The longest that a request takes."""


@dataclass
class KilledServers:
    """Server processes, one after the other, at one address and with one store."""

    pool: subprocess.Popen[str]
    client: httpx.Client
    receiver: WebhookReceiver
    """Is told of the end of each job."""
    pid: int = 0
    ended: list[int] = field(default_factory=list[int])
    """The signal that ended each of them."""

    def start(self, writes: int) -> None:
        """Starts one that dies once it has written so often; 0: never."""
        assert self.pool.stdin is not None
        self.pool.stdin.write(f"{writes}\n")
        self.pool.stdin.flush()
        self.pid = int(self._line())

    def end(self) -> int:
        """The signal by which the present one has ended: SIGTERM is sent, unless it is dead."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self.ended.append(int(self._line()))
        return self.ended[-1]

    def _line(self) -> str:
        assert self.pool.stdout is not None
        return self.pool.stdout.readline()

    def is_up(self) -> bool:
        try:
            return self.client.get("/ready").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def is_alive(self) -> bool:
        """Whether the present one runs: one that has ended is a zombie until its parent has looked."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False


@contextmanager
def killed_servers(directory: Path) -> Generator[KilledServers]:
    """Their store is in `directory`/jobs."""
    port, metrics_port, hook_port = free_ports(3)
    (directory / "secrets").mkdir()
    (directory / "secrets" / "a").write_text(SECRET)
    config = RuntimeConfig(
        port=port,
        metrics_port=metrics_port,
        drain_seconds=0,
        jobs_dir=str(directory / "jobs"),
        log_level="warning",
        webhook_allowed_hosts=(f"http://localhost:{hook_port}",),
        webhook_private_networks=("127.0.0.0/8", "::1"),
        webhook_secrets_dir=str(directory / "secrets"),
    )
    with (
        receiving(port=hook_port) as receiver,
        subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.killed_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | config.to_env() | {"PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        ) as pool,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client,
    ):
        yield KilledServers(pool, client, receiver)
        pool.kill()
