"""The servers under test, each a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from testbed import runtime_process
from testbed.cluster.controlplane import free_ports
from testbed.inputs import weights
from testbed.paths import REPOSITORY

SYSTEMS: Final = {
    "cpu": ("plain", "faster-float32", "faster-int8", "runtime-float32", "runtime-bfloat16"),
    "cuda": ("plain", "faster-float16", "runtime-float16"),
}
"""By the device, which each of them picks by itself."""
START_SECONDS: Final = 300


@dataclass(frozen=True)
class System:
    name: str
    process: subprocess.Popen[bytes]
    port: int
    start_seconds: float
    """Until it answered for the first time."""

    @property
    def sends_events(self) -> bool:
        """Whether it answers in OpenAI's stream of events; the others send text as it comes."""
        return self.name.startswith("runtime")

    @property
    def url(self) -> str:
        path = "v1/audio/transcriptions" if self.sends_events else "transcribe"
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def peak_mib(self) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


@contextmanager
def running(names: Iterable[str], model: str, directory: Path) -> Generator[list[System]]:
    """All of them at once, idle until they are asked."""
    with ExitStack() as stack:
        yield [stack.enter_context(_running(name, model, directory)) for name in names]


@contextmanager
def _running(name: str, model: str, directory: Path) -> Generator[System]:
    port, probes = free_ports(2)
    started = time.monotonic()
    with (directory / f"{name}.log").open("wb") as log:
        environment = _environment(name, model, port, probes, directory)
        process = subprocess.Popen(_command(name, model, port), env=environment, stdout=log, stderr=log)
    try:
        path = f"http://127.0.0.1:{probes}/ready" if name.startswith("runtime") else f"http://127.0.0.1:{port}/docs"
        _wait(path, process, directory / f"{name}.log")
        yield System(name, process, port, time.monotonic() - started)
    finally:
        process.terminate()
        process.wait()


def _command(name: str, model: str, port: int) -> list[str]:
    if name.startswith("runtime"):
        return [sys.executable, "-m", "whisper_runtime", "serve"]
    return [sys.executable, "-m", "benchmarks.runtime.peers", name, model, str(port)]


def _environment(name: str, model: str, port: int, probes: int, directory: Path) -> dict[str, str]:
    if not name.startswith("runtime"):
        return {**os.environ}
    return (
        os.environ
        | image_memory()
        | {
            "WHISPER_MODEL": str(weights.path(model)),
            "WHISPER_PORT": str(port),
            "WHISPER_METRICS_PORT": str(probes),
            "WHISPER_COMPUTE_TYPE": name.removeprefix("runtime-"),
            "WHISPER_GOLDEN_DIR": str(runtime_process.golden_clip(directory / "golden")),
        }
    )


def image_memory() -> dict[str, str]:
    """How the image sets the allocator."""
    file = (REPOSITORY / "Dockerfile.runtime").read_text()
    return dict(re.findall(r"\b(GLIBC_TUNABLES|THP_MEM_ALLOC_ENABLE)=(\S+)", file))


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"a server ended: {log.read_text()[-1000:]}")
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{url} does not answer after {START_SECONDS} s: {log.read_text()[-1000:]}")
