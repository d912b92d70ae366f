"""A server in the place of the API server, whose answers a test lays down, and the kubeconfig that leads to it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from kubectl_whisper.cli import main


@dataclass
class CannedAnswer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    is_cut: bool = False
    """Whether the connection ends before the body does."""


def as_json(body: Any, status: int = 200, **headers: str) -> CannedAnswer:
    return CannedAnswer(json.dumps(body).encode(), status, {"content-type": "application/json", **headers})


def as_list(*items: Any) -> CannedAnswer:
    return as_json({"items": items, "metadata": {"resourceVersion": "1"}})


def as_text(text: str) -> CannedAnswer:
    return CannedAnswer(text.encode(), 200, {"content-type": "text/plain"})


def as_events(*events: Any, is_cut: bool = False) -> CannedAnswer:
    lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return CannedAnswer(f": one moment\n\n{lines}".encode(), 200, {"content-type": "text/event-stream"}, is_cut)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str | int | None:
    """The command's end: its exit code, or the sentence that it fails with."""
    monkeypatch.setattr(sys, "argv", ["kubectl-whisper", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@dataclass
class PlannedServer:
    answers: list[CannedAnswer]
    """To the next requests, in their order."""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list[tuple[str, dict[str, str], bytes]])
    """Path, headers with small letters, and body of each."""
    methods: list[str] = field(default_factory=list[str])
    """Of each request."""
    by_path: dict[str, CannedAnswer] = field(default_factory=dict[str, CannedAnswer])
    """Answers at any time to whatever path has one of these in it; the first that fits."""

    def next_answer(self, path: str) -> CannedAnswer:
        fitting = (given for part, given in self.by_path.items() if part in path)
        return next(fitting, None) or self.answers.pop(0)


@pytest.fixture
def api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlannedServer]:
    found = PlannedServer([])

    class PlannedHandler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            found.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            found.methods.append(self.command)
            given = found.next_answer(self.path)
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(given.body) + given.is_cut))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), PlannedHandler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "near",
        "contexts": [{"name": "near", "context": {"cluster": "near", "user": "me", "namespace": "team"}}],
        "clusters": [{"name": "near", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "me", "user": {"token": "token-of-the-cluster"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    yield found
    server.shutdown()
    server.server_close()
