"""A site without the internet: a directory that the documented command fills is a mirror, behind any web server."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched, visible
from whisper_runtime.process.command import main


@contextmanager
def web_server(directory: Path) -> Iterator[str]:
    """Address of the simplest server of files, which knows no ranges."""

    class Files(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.usefixtures("root_logger")
def test_a_directory_that_the_command_fills_is_a_mirror(
    mirror: Mirror, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given the command of docs/how-to/model-sources.md, a fetch elsewhere needs the mirror alone."""
    filled = tmp_path / "mirror"
    given = ["--model", "mine", "--url", mirror.url, "--sha256", digest(mirror.content)]
    assert main(["fetch", *given, "--model-dir", str(filled)], {"WHISPER_METRICS_PORT": "1"}) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [file.name for file in filled.iterdir()] == [f"mine-{printed['digest'][:12]}.pt"]
    mirror.requests.clear()
    with web_server(filled) as address:
        report = fetched(cache, f"{address}/mine-{printed['digest'][:12]}.pt", printed["digest"])
    assert report.reason == "Fetched", report.message
    assert visible(cache) == visible(filled)
    assert mirror.requests == []
