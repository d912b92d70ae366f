"""A runtime process on this machine, with real weights; and its memory, descriptors and threads."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from testbed.cluster.controlplane import free_ports
from testbed.inputs import recordings, weights
from testbed.paths import REPOSITORY
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import METRICS_PATH, READY_PATH

START_SECONDS: Final = 600
STOP_SECONDS: Final = 120
CPUCLOCK_SCHED: Final = 2
"""Of Linux' include/linux/posix-timers.h: the clock of a process, in nanoseconds."""


@dataclass(frozen=True)
class ProcessUsage:
    """Memory is anonymous memory: the kernel cannot reclaim it."""

    memory_mib: float
    descriptors: int
    threads: int


@dataclass(frozen=True)
class RuntimeProcess:
    port: int
    metrics_port: int
    process: subprocess.Popen[bytes]
    scratch: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}"

    @property
    def usage(self) -> ProcessUsage:
        pid = self.process.pid
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return ProcessUsage(
            int(status["RssAnon"].split()[0]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"])
        )

    @property
    def processor_ms(self) -> float:
        """What all of its threads took of the processors since its start; none of its children."""
        clock = (~self.process.pid << 3) | CPUCLOCK_SCHED  # as clock_getcpuclockid(3) has it
        return 1000 * time.clock_gettime(clock)

    def get(self, path: str) -> str:
        """Body of the metrics port's answer; raises urllib.error.HTTPError."""
        with urllib.request.urlopen(f"{self.metrics_url}{path}", timeout=10) as answer:
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
    directory: Path,
    *,
    prefix: Sequence[str] = (),
    python: str = sys.executable,
    checkout: Path = REPOSITORY,
    **config: Any,
) -> Generator[RuntimeProcess]:
    """`python -m whisper_runtime serve`, once it is ready; raises RuntimeError when it does not end with 0 on SIGTERM.

    `prefix`: a command that runs it, as `unshare`; `python`: its interpreter; `checkout`: the folder of its code;
    `config`: fields of RuntimeConfig, by default tiny.en and a golden clip.
    """
    scratch = directory / "scratch"
    scratch.mkdir(parents=True)
    defaults = {"model": str(weights.ensure()["tiny.en"]), "golden_dir": str(golden_clip(directory / "golden"))}
    port, metrics_port = free_ports(2)
    settings: dict[str, Any] = {**defaults, "drain_seconds": 0, **config}
    environment = RuntimeConfig(port=port, metrics_port=metrics_port, **settings).to_env()
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            (*prefix, python, "-m", "whisper_runtime", "serve"),
            env={**os.environ, **environment, "TMPDIR": str(scratch), "PYTHONPATH": str(checkout / "runtime")},
            stderr=log,
        )
    runtime = RuntimeProcess(port, metrics_port, process, scratch)
    try:
        _wait_until_ready(runtime, directory / "log")
        yield runtime
    finally:
        process.send_signal(signal.SIGTERM)
        if process.wait(STOP_SECONDS):
            raise RuntimeError(f"the server ended with {process.returncode}: {(directory / 'log').read_text()[-2000:]}")


def golden_clip(directory: Path) -> Path:
    """`directory`, with a clip and its words, as the image has one."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(recordings.ensure() / "jfk.wav", directory / "clip.wav")
    (directory / "clip.txt").write_text(recordings.JFK_WORDS)
    return directory


def _wait_until_ready(runtime: RuntimeProcess, log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and runtime.process.poll() is None:
        try:
            runtime.get(READY_PATH)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"the server is not ready after {START_SECONDS} s: {log.read_text()[-2000:]}")
