"""A checkpoint is in the cache only when it is whole and right; what went wrong is said."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from whisper_runtime.contract import FetchReport, RuntimeConfig
from whisper_runtime.fetch import fetch

CONTENT = b"a checkpoint" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Truncating(http.server.SimpleHTTPRequestHandler):
    """Serves a directory; what is called `short` ends before its length."""

    def do_GET(self) -> None:
        if not self.path.startswith("/short"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:100])

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    directory = tmp_path / "mirror"
    directory.mkdir()
    (directory / "base.pt").write_bytes(CONTENT)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Truncating, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def fetched(cache: Path, url: str, sha256: str = DIGEST) -> FetchReport:
    return fetch(RuntimeConfig(model="base", model_dir=str(cache), model_url=url, model_sha256=sha256))


def files(cache: Path) -> list[str]:
    return sorted(file.name for file in cache.iterdir()) if cache.exists() else []


def test_what_is_right_is_kept_under_its_digest(mirror: str, tmp_path: Path) -> None:
    report = fetched(tmp_path / "cache", f"{mirror}/base.pt")
    assert (report.reason, report.digest, report.bytes) == ("Fetched", DIGEST, len(CONTENT))
    assert files(tmp_path / "cache") == [f"base-{DIGEST[:12]}.pt"]


def test_what_is_there_is_not_fetched_again(mirror: str, tmp_path: Path) -> None:
    fetched(tmp_path / "cache", f"{mirror}/base.pt")
    assert fetched(tmp_path / "cache", "http://nobody.invalid/base.pt").reason == "AlreadyCached"


def test_what_has_rotted_is_fetched_anew(mirror: str, tmp_path: Path) -> None:
    fetched(tmp_path / "cache", f"{mirror}/base.pt")
    (tmp_path / "cache" / f"base-{DIGEST[:12]}.pt").write_bytes(b"rotten")
    assert fetched(tmp_path / "cache", f"{mirror}/base.pt").reason == "Fetched"


@pytest.mark.parametrize(
    ("path", "sha256", "reason", "says"),
    [
        ("base.pt", "0" * 64, "ChecksumMismatch", f"has sha256 {DIGEST}"),
        ("absent.pt", DIGEST, "DownloadFailed", "answered 404"),
        ("short.pt", DIGEST, "DownloadFailed", "ended after 100 of"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_left(
    mirror: str, tmp_path: Path, path: str, sha256: str, reason: str, says: str
) -> None:
    report = fetched(tmp_path / "cache", f"{mirror}/{path}", sha256)
    assert report.reason == reason
    assert says in report.message
    assert files(tmp_path / "cache") == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    report = fetched(tmp_path / "cache", "http://nobody.invalid/base.pt")
    assert report.reason == "DownloadFailed"
    assert "http://nobody.invalid/base.pt could not be fetched" in report.message


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/base.pt"])
def test_other_schemes_are_refused(tmp_path: Path, url: str) -> None:
    assert "only http:// and https://" in fetched(tmp_path / "cache", url).message


def test_no_secret_of_the_url_is_told(tmp_path: Path) -> None:
    report = fetched(tmp_path / "cache", "http://me:hunter2@nobody.invalid/base.pt?token=hunter2")
    assert report.reason == "DownloadFailed"
    assert "hunter2" not in report.model_dump_json()


def test_a_name_of_nobody_needs_a_digest(tmp_path: Path) -> None:
    report = fetch(RuntimeConfig(model="mine", model_dir=str(tmp_path)))
    assert report.reason == "UnknownModel"


def test_a_cache_that_cannot_be_written(mirror: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a directory should be")
    report = fetched(tmp_path / "cache", f"{mirror}/base.pt")
    assert report.reason == "DownloadFailed"
