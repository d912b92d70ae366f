"""Certificates: the system's authorities are trusted, and a private one where it is given."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched
from tests.support.certificates import self_signed
from whisper_runtime.contract.reports import FetchReport


@pytest.fixture
def private(content: bytes, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server whose certificate a private authority signed: its URL, and that authority's certificate."""
    certificate, key = self_signed(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/base.pt", certificate
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_private_authority_is_trusted_where_it_is_given(
    private: tuple[str, Path], cache: Path, content: bytes
) -> None:
    url, certificate = private
    report = fetched(cache, url, digest(content))
    assert "the server's certificate is not trusted" in report.message
    assert "spec.prefetch.caConfigMapKeyRef" in report.message
    assert fetched(cache, url, digest(content), model_ca_file=str(certificate)).reason == "Fetched"


def test_a_private_authority_may_be_trusted_by_the_system(
    private: tuple[str, Path], cache: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE, as the image's build sets it."""
    url, certificate = private
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetched(cache, url, digest(content)).reason == "Fetched"


def test_a_ca_file_without_a_certificate_is_named(mirror: Mirror, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    report: FetchReport = fetched(cache, mirror.url, digest(mirror.content), model_ca_file=str(tmp_path / "ca.crt"))
    assert "spec.model.source.caConfigMapKeyRef, holds no certificate in PEM" in report.message
