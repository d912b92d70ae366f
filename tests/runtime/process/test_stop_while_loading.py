"""A real process that gets SIGTERM before its model is ready ends at once: no client will use the model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.cluster.controlplane import free_ports
from tests.support.running_process import SECONDS as START_SECONDS
from tests.support.waiting import eventually
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import HEALTH_PATH

pytestmark = pytest.mark.slow

SECONDS = 10
"""Less than the model takes for the clip."""


@pytest.fixture
def golden(recordings: Path, tmp_path: Path) -> Path:
    """A clip of minutes, so that proving the model takes longer than any machine takes to stop."""
    with wave.open(str(recordings / "jfk.wav")) as short, wave.open(str(tmp_path / "clip.wav"), "wb") as clip:
        clip.setparams(short.getparams())
        clip.writeframes(short.readframes(short.getnframes()) * 60)
    (tmp_path / "clip.txt").write_text("Ask not.")
    return tmp_path


@pytest.fixture
def config(weights: dict[str, Path], golden: Path) -> RuntimeConfig:
    port, metrics_port = free_ports(2)
    return RuntimeConfig(model=str(weights["base"]), golden_dir=str(golden), port=port, metrics_port=metrics_port)


@pytest.fixture
def running(config: RuntimeConfig) -> Iterator[subprocess.Popen[bytes]]:
    command = (sys.executable, "-m", "whisper_runtime", "serve")
    with subprocess.Popen(command, env={**os.environ, **config.to_env()}, stderr=subprocess.PIPE) as process:
        yield process
        process.kill()


def imports_torch(process: subprocess.Popen[bytes], _: RuntimeConfig) -> bool:
    return "libtorch" in Path(f"/proc/{process.pid}/maps").read_text()


def loads(_: subprocess.Popen[bytes], config: RuntimeConfig) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{config.metrics_port}{HEALTH_PATH}", timeout=SECONDS):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("at_it", [imports_torch, loads])
def test_it_ends_at_once_and_well(
    running: subprocess.Popen[bytes],
    config: RuntimeConfig,
    at_it: Callable[[subprocess.Popen[bytes], RuntimeConfig], bool],
) -> None:
    eventually("it is at that step", lambda: at_it(running, config), START_SECONDS)
    running.send_signal(signal.SIGTERM)
    assert running.wait(SECONDS) == 0
