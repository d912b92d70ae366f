"""The runtime as a real server: with the fake engine in a thread, or whole in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.fakes.engine import FakeEngine, fake_decode
from tests.fakes.parts import fake_parts
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.network import READY_PATH
from whisper_runtime.http.app import create_app
from whisper_runtime.service.transcribe import MediaDecoder

START_SECONDS = 600


AS_A_PODS_USER = ("unshare", "--user", "--map-user=65532", "--map-group=65532")
"""In a namespace of its own, where it is not root; to the machine's files it stays whoever runs the tests."""


@contextmanager
def fake_server(engine: FakeEngine, decode: MediaDecoder = fake_decode, **config: Any) -> Iterator[str]:
    """The clients' application over a real socket; gives its address."""
    app = create_app(fake_parts(engine, decode, **config))
    server = uvicorn.Server(uvicorn.Config(app, http="h11", lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def process(directory: Path, **config: Any) -> Iterator[tuple[str, str]]:
    """`python -m whisper_runtime serve`, once it is ready; gives the clients' address and that of the metrics."""
    port, metrics_port = _free_port(), _free_port()
    environment = RuntimeConfig(port=port, metrics_port=metrics_port, **config).to_env()
    with (directory / "log").open("w") as log:
        command = (*AS_A_PODS_USER, sys.executable, "-m", "whisper_runtime", "serve")
        running = subprocess.Popen(command, env={**os.environ, **environment}, stderr=log)
    try:
        _wait_until_ready(f"http://127.0.0.1:{metrics_port}", running, directory / "log")
        yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}"
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait_until_ready(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and running.poll() is None:
        try:
            with urllib.request.urlopen(address + READY_PATH, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the server is not ready after {START_SECONDS} s:\n{log.read_text()[-2000:]}")
