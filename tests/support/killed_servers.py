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
from typing import Any, Final

import httpx

from testbed.cluster.controlplane import free_ports
from tests.fakes.killed_process import KILLED_AT
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
    killed_at: str = ""
    """The write at which the last one was killed that was."""

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
        if (line := self._line()).startswith(KILLED_AT):
            self.killed_at, line = line.removeprefix(KILLED_AT).strip(), self._line()
        self.ended.append(int(line))
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
def killed_servers(directory: Path, **store: Any) -> Generator[KilledServers]:
    """`store`: fields of RuntimeConfig that say where it is; by default in `directory`/jobs."""
    port, metrics_port, hook_port = free_ports(3)
    (directory / "secrets").mkdir()
    (directory / "secrets" / "a").write_text(SECRET)
    hosts, networks = (f"http://localhost:{hook_port}",), ("127.0.0.0/8", "::1")
    settings: dict[str, Any] = store or {"jobs_dir": str(directory / "jobs")}
    config = RuntimeConfig(
        port=port,
        metrics_port=metrics_port,
        drain_seconds=0,
        log_level="error",
        audio_url_allowed_hosts=hosts,
        audio_url_private_networks=networks,
        webhook_allowed_hosts=hosts,
        webhook_private_networks=networks,
        webhook_secrets_dir=str(directory / "secrets"),
        **settings,
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
        servers = KilledServers(pool, client, receiver)
        try:
            yield servers
        finally:
            pool.kill()
            if servers.pid and servers.is_alive:  # a test failed meanwhile, or was ended
                os.kill(servers.pid, signal.SIGKILL)
