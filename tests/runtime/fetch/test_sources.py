"""Credentials, certificates, proxies, and claims: the ways to a checkpoint."""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mirror import Mirror, refusing, serving, whole
from tests.runtime.fetch.conftest import digest, fetched, visible


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    directory = tmp_path / "secret"
    directory.mkdir()
    return directory


@pytest.mark.parametrize(
    ("keys", "header"),
    [
        ({"token": "hunter2\n"}, "Bearer hunter2"),
        ({"username": "me", "password": "hunter2"}, f"Basic {base64.b64encode(b'me:hunter2').decode()}"),
    ],
)
def test_credentials_are_sent(mirror: Mirror, cache: Path, secret: Path, keys: dict[str, str], header: str) -> None:
    for name, value in keys.items():
        (secret / name).write_text(value)
    fetched(cache, mirror.url, digest(mirror.content), model_credentials_dir=str(secret))
    assert mirror.asked[0]["authorization"] == header


def test_a_secret_of_other_keys_is_told_without_its_values(mirror: Mirror, cache: Path, secret: Path) -> None:
    (secret / "key").write_text("hunter2")
    report = fetched(cache, mirror.url, digest(mirror.content), model_credentials_dir=str(secret))
    assert "has the keys key: an http(s) source needs `token`, or `username` and `password`" in report.message
    assert "hunter2" not in report.model_dump_json()


def test_credentials_go_to_no_other_host(mirror: Mirror, cache: Path, secret: Path, content: bytes) -> None:
    (secret / "token").write_text("hunter2")
    with serving(Mirror(content, [whole])) as elsewhere:
        mirror.answers = [refusing(302, Location="/moved"), refusing(302, Location=elsewhere.url)]
        fetched(cache, mirror.url, digest(content), model_credentials_dir=str(secret))
        assert [one.get("authorization") for one in mirror.asked] == ["Bearer hunter2"] * 2
        assert elsewhere.asked[0].get("authorization") is None
    assert visible(cache) == [f"mine-{digest(content)[:12]}.pt"]


def test_a_proxy_of_the_environment_is_used(mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", mirror.url.rpartition("/")[0])
    assert fetched(cache, "http://models.invalid/base.pt", digest(mirror.content)).reason == "Fetched"
    assert mirror.asked[0]["path"] == "http://models.invalid/base.pt"


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


def self_signed(directory: Path) -> tuple[Path, Path]:
    """Certificate and key of a server at 127.0.0.1, as files."""
    certificate, key = directory / "ca.crt", directory / "tls.key"
    subject = ("-subj", "/CN=mirror", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1", "-nodes")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files), check=True, capture_output=True
    )
    return certificate, key


def test_a_private_authority_is_trusted_where_it_is_given(
    private: tuple[str, Path], cache: Path, content: bytes
) -> None:
    url, certificate = private
    report = fetched(cache, url, digest(content))
    assert "the server's certificate is not trusted" in report.message
    assert "spec.model.source.caRef" in report.message
    assert fetched(cache, url, digest(content), model_ca_file=str(certificate)).reason == "Fetched"


def test_an_authority_that_is_none(mirror: Mirror, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    report = fetched(cache, mirror.url, digest(mirror.content), model_ca_file=str(tmp_path / "ca.crt"))
    assert "spec.model.source.caRef holds no certificate in PEM" in report.message


@pytest.fixture
def claim(tmp_path: Path, content: bytes) -> Path:
    directory = tmp_path / "claim"
    (directory / "models").mkdir(parents=True)
    (directory / "models/my model.pt").write_bytes(content)
    return directory


def test_a_file_of_another_claim(claim: Path, cache: Path, content: bytes) -> None:
    report = fetched(cache, "pvc://models/models/my%20model.pt", None, claim_dir=claim)
    assert (report.reason, report.digest) == ("Fetched", digest(content))
    assert visible(cache) == [f"mine-{digest(content)[:12]}.pt"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("pvc://models/absent.pt", "cannot be read (No such file or directory)"),
        ("pvc://models/../../etc/passwd", "leads out of its claim"),
        ("pvc://models/models", "cannot be read (Is a directory)"),
    ],
)
def test_a_path_that_leads_nowhere(claim: Path, cache: Path, url: str, says: str) -> None:
    assert says in fetched(cache, url, None, claim_dir=claim).message


def test_a_wrong_digest_of_a_claims_file(claim: Path, cache: Path) -> None:
    report = fetched(cache, "pvc://models/models/my%20model.pt", "0" * 64, claim_dir=claim)
    assert report.reason == "ChecksumMismatch"
