"""The examples of docs/how-to/webhooks.md, as they are written, are told of a real transcription by a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

import pytest

from testbed import nodejs, runtime_process
from testbed.cluster.controlplane import free_ports
from testbed.paths import REPOSITORY
from tests.fakes.webhook_receiver import SECRET, receiving
from tests.support.openai_clients import NODE
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/webhooks.md").read_text()
(SUBMISSION, PYTHON, NODE_JS, CGI) = re.findall(r"^```(?:python|js|sh)\n(.*?)^```", PAGE, re.S | re.M)
TEXT = "ask what you can do for your country"
SECONDS = 120


@dataclass(frozen=True)
class WebhookServer:
    url: str
    ports: tuple[int, ...]
    """On which receivers may listen."""
    folder: Path
    """With the recording that the page names."""

    def environment(self, port: int) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "OPENAI_API_KEY": "none",
            "OPENAI_WEBHOOK_SECRET": SECRET,
            "WEBHOOK_URL": f"http://localhost:{port}/hook",
            "PORT": str(port),
        }

    def submit(self, port: int) -> None:
        """Hands the recording in, as the page does."""
        subprocess.run(
            ("sh", "-euc", SUBMISSION), cwd=self.folder, env=self.environment(port), check=True, timeout=SECONDS
        )


@pytest.fixture(scope="module")
def server(
    weights: dict[str, Path], golden: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebhookServer]:
    directory, secrets, folder = (tmp_path_factory.mktemp(name) for name in ("jobs", "secrets", "recordings"))
    (secrets / "current").write_text(SECRET)
    ffmpeg = ("ffmpeg", "-loglevel", "error", "-i", str(recordings / "jfk.wav"), str(folder / "speech.mp3"))
    subprocess.run(ffmpeg, check=True)
    ports = tuple(free_ports(3))
    with runtime_process.running(
        directory,
        model=str(weights["tiny.en"]),
        golden_dir=str(golden),
        jobs_dir=str(directory / "jobs"),
        webhook_allowed_hosts=tuple(f"http://localhost:{port}" for port in ports),
        webhook_private_networks=("127.0.0.0/8", "::1"),
        webhook_secrets_dir=str(secrets),
    ) as runtime:
        yield WebhookServer(runtime.url, ports, folder)


def is_up(port: int) -> bool:
    try:
        create_connection(("localhost", port)).close()
    except OSError:
        return False
    return True


@contextmanager
def receiver(command: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def printed(process: subprocess.Popen[str]) -> str:
    """What a receiver says once it has ended well."""
    stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    return " ".join(stdout.lower().split())


def test_a_receiver_in_python_verifies_the_event_and_gets_the_text(server: WebhookServer) -> None:
    """The server is asked once, so that the test must not look whether it is up: an event is sent again after 5 s."""
    port = server.ports[0]
    with receiver((sys.executable, "-c", PYTHON), server.environment(port)) as process:
        server.submit(port)
        assert TEXT in printed(process)


def test_a_receiver_in_node_verifies_the_event_and_gets_the_text(server: WebhookServer) -> None:
    port = server.ports[1]
    environment = {**server.environment(port), "NODE_PATH": str(nodejs.ensure(NODE))}
    with receiver(("node", "-e", NODE_JS), environment) as process:
        eventually("the receiver is up", lambda: is_up(port), SECONDS)
        server.submit(port)
        assert TEXT in printed(process)


def test_a_cgi_script_verifies_the_event_and_gets_the_text(server: WebhookServer, tmp_path: Path) -> None:
    with receiving(port=server.ports[2]) as endpoint:
        server.submit(server.ports[2])
        (got,) = endpoint.until_received()
    for body, status in ((got.body, "204"), (got.body.replace(b"completed", b"cancelled"), "403")):
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in got.headers.items()}
        done = subprocess.run(
            ("sh", "-uc", CGI),
            cwd=tmp_path,
            env={**server.environment(server.ports[2]), **headers},
            input=body,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        assert (done.stdout.decode(), done.stderr) == (f"Status: {status}\n\n", b"")
    (kept,) = tmp_path.iterdir()
    assert kept.stem == got.event["data"]["id"]
    assert TEXT in kept.read_text().lower()
