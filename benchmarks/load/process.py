"""A runtime process on this machine, and its memory, descriptors and threads."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from testbed.inputs import recordings, weights
from testbed.paths import REPOSITORY
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import METRICS_PATH, READY_PATH

START_SECONDS: Final = 600
WORDS: Final = (
    "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
)


@dataclass(frozen=True)
class ProcessUsage:
    """Memory is anonymous memory: the kernel cannot reclaim it."""

    memory_mib: float
    descriptors: int
    threads: int


@dataclass(frozen=True)
class Runtime:
    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    scratch: Path

    @property
    def usage(self) -> ProcessUsage:
        pid = self.process.pid
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return ProcessUsage(
            int(status["RssAnon"].split()[0]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"])
        )

    def get(self, path: str) -> str:
        """The answer of the metrics port; raises urllib.error.HTTPError."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        families = text_string_to_metric_families(self.get(METRICS_PATH))
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def at_rest(self) -> bool:
        """Whether no audio is queued and no disk is reserved."""
        return self.metric("whisper_queued_audio_seconds") == 0 and self.metric("whisper_scratch_bytes") == 0


@contextmanager
def running(
    directory: Path, model: str = "tiny.en", checkout: Path = REPOSITORY, **config: Any
) -> Generator[Runtime, None, None]:
    """`python -m whisper_runtime serve` of that checkout, with real weights, once it is ready.

    Raises RuntimeError where it does not become ready, or does not end well on SIGTERM.
    """
    golden, scratch = directory / "golden", directory / "scratch"
    golden.mkdir(parents=True)
    scratch.mkdir()
    shutil.copy(recordings.ensure() / "jfk.wav", golden / "clip.wav")
    (golden / "clip.txt").write_text(WORDS)
    port, metrics_port = _free_port(), _free_port()
    settings: dict[str, Any] = {
        "model": str(weights.ensure()[model]),
        "golden_dir": str(golden),
        "drain_seconds": 0,
    } | config
    environment = RuntimeConfig(port=port, metrics_port=metrics_port, **settings).to_env()
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "whisper_runtime", "serve"),
            env={**os.environ, **environment, "TMPDIR": str(scratch), "PYTHONPATH": str(checkout / "runtime")},
            stderr=log,
        )
    runtime = Runtime(port, metrics_port, process, scratch)
    try:
        _wait(runtime, directory / "log")
        yield runtime
    finally:
        process.send_signal(signal.SIGTERM)
        if process.wait(120):
            raise RuntimeError(f"the server ended with {process.returncode}: {(directory / 'log').read_text()[-2000:]}")


def _wait(runtime: Runtime, log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and runtime.process.poll() is None:
        try:
            runtime.get(READY_PATH)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"the server is not ready after {START_SECONDS} s: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
