"""Progress over HTTP while a fetch runs: JSON for the operator, metrics for Prometheus.

A server of its own beside that of the probes: docs/adr/0010-a-fetch-serves-its-own-progress.md says why.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from whisper_runtime.contract.metric_names import (
    FETCH_LEFT_METRIC,
    FETCH_SPEED_METRIC,
    FETCH_TOTAL_METRIC,
    FETCHED_BYTES_METRIC,
)
from whisper_runtime.contract.network import METRICS_PATH, PROGRESS_PATH
from whisper_runtime.fetch.progress import ProgressTracker

log = logging.getLogger(__name__)


@contextlib.contextmanager
def serve_progress(progress: ProgressTracker, port: int) -> Generator[int | None, None, None]:
    """Answers on `port` (0: any) while the block runs, and gives the port; None, after a warning, where it is taken."""
    try:
        server = _listen(port, _handler(progress))
    except OSError as error:
        log.warning("the progress of this fetch is not shown, for port %d cannot be opened: %s", port, error.strerror)
        yield None
        return
    thread = threading.Thread(target=server.serve_forever, name="progress", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(progress: ProgressTracker) -> type[BaseHTTPRequestHandler]:
    registry = _metrics(progress)

    class ProgressHandler(BaseHTTPRequestHandler):
        timeout = 5.0
        """Seconds without a byte from the client."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == PROGRESS_PATH:
                self._send(200, "application/json", progress.snapshot().model_dump_json().encode())
            elif path == METRICS_PATH:
                self._send(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._send(404, "text/plain", b"not here\n")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    return ProgressHandler


def _listen(port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Listens for IPv6 and IPv4 where the machine has both; raises OSError."""
    if not socket.has_dualstack_ipv6():
        return ThreadingHTTPServer(("", port), handler)
    server = ThreadingHTTPServer(("", port), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    server.server_port = server.socket.getsockname()[1]
    return server


def _metrics(progress: ProgressTracker) -> CollectorRegistry:
    registry = CollectorRegistry()
    done = Gauge(FETCHED_BYTES_METRIC, "Bytes of the checkpoint that are there.", registry=registry)
    done.set_function(lambda: progress.snapshot().bytes)
    total = Gauge(FETCH_TOTAL_METRIC, "Bytes of the checkpoint; 0: not known.", registry=registry)
    total.set_function(lambda: progress.snapshot().total or 0)
    speed = Gauge(FETCH_SPEED_METRIC, "Bytes that come per second.", registry=registry)
    speed.set_function(lambda: progress.snapshot().bytes_per_second or 0)
    left = Gauge(FETCH_LEFT_METRIC, "Seconds until all is there at that speed; NaN: not known.", registry=registry)
    left.set_function(lambda: math.nan if (seconds := progress.snapshot().seconds_left) is None else seconds)
    return registry
