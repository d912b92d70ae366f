"""A checkpoint on a web server: resuming, credentials, proxies, and the mistakes of servers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror, MirrorRequest, Responder, refusing, stalling, web_page, whole
from tests.runtime.fetch.conftest import digest, fetched, http_source, received, visible
from whisper_runtime import logs
from whisper_runtime.fetch.errors import TransientFetchError


def test_a_body_has_its_start_its_total_and_its_version(mirror: Mirror) -> None:
    with http_source(mirror.url).open(100, '"v1"') as body:
        assert (body.start, body.total, body.version) == (100, len(mirror.content), '"v1"')
        assert b"".join(body.blocks) == mirror.content[100:]
    assert (mirror.requests[0]["range"], mirror.requests[0]["if-range"]) == ("bytes=100-", '"v1"')


def test_nothing_but_the_bytes_of_the_file_is_accepted(mirror: Mirror) -> None:
    """An encoded body has another digest, and cannot be resumed at an offset of the file."""
    received(http_source(mirror.url))
    assert mirror.requests[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("etag", "date", "version"),
    [
        ('"v1"', "yesterday", '"v1"'),
        ('W/"v1"', "yesterday", "yesterday"),
        (None, None, None),
        ('"\u00e9"', None, None),
    ],
    ids=["strong", "weak", "none", "not ASCII"],
)
def test_the_version_is_a_validator_that_if_range_can_carry(
    mirror: Mirror, etag: str | None, date: str | None, version: str | None
) -> None:
    def tagged(request: MirrorRequest) -> None:
        request.send_response(200)
        for name, value in (("ETag", etag), ("Last-Modified", date), ("Content-Length", "0")):
            if value is not None:
                request.send_header(name, value)
        request.end_headers()

    mirror.answers = [tagged]
    with http_source(mirror.url).open(0, None) as body:
        assert body.version == version


def ranging(extent: str) -> Responder:
    """Answers with this Content-Range, and with four bytes."""

    def respond(request: MirrorRequest) -> None:
        request.send_response(206)
        request.send_header("Content-Range", extent)
        request.send_header("Content-Length", "4")
        request.end_headers()
        request.wfile.write(b"PK\x03\x04")

    return respond


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (web_page, "answered with a web page instead of a checkpoint: is a login or a proxy in between?"),
        (refusing(401), "answered 401 Unauthorized: put credentials"),
        (refusing(403), "answered 403 Forbidden: put credentials"),
        (refusing(404), "answered 404 Not Found: correct spec.model.source.url"),
        (refusing(429, Retry_After="3600"), "answered 429 Too Many Requests"),
        (refusing(500), "answered 500 Internal Server Error"),
        (refusing(503, Retry_After="\u00b2"), "answered 503 Service Unavailable"),
        (ranging("bytes 0-1/" + "9" * 5000), "answered with another range than the requested one"),
        (stalling(0.0), "sent nothing for 2 s"),
    ],
)
def test_a_server_that_sends_no_checkpoint_is_reported_and_nothing_is_published(
    mirror: Mirror, cache: Path, answer: Responder, says: str
) -> None:
    mirror.answers = [answer]
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == "DownloadFailed"
    assert says in report.message
    assert visible(cache) == []
    mirror.answers = [whole]
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "Fetched"


def test_a_server_that_does_not_speak_http_may_recover(mirror: Mirror) -> None:
    def greeting(request: MirrorRequest) -> None:
        request.wfile.write(b"220 hunter2 ESMTP\r\n\r\n")
        request.close_connection = True

    mirror.answers = [greeting]
    with pytest.raises(TransientFetchError, match="did not answer in HTTP") as raised:
        received(http_source(mirror.url))
    assert "hunter2" not in str(raised.value)


def test_chunks_that_break_off_are_an_interruption(mirror: Mirror) -> None:
    """Nothing else tells the receiver that bytes are missing."""

    def broken(request: MirrorRequest) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"4\r\nPK\x03\x04\r\n")
        request.close_connection = True

    mirror.answers = [broken]
    with pytest.raises(TransientFetchError):
        received(http_source(mirror.url))


def test_a_range_of_a_file_of_unknown_size_that_breaks_off_is_an_interruption(mirror: Mirror) -> None:
    def broken(request: MirrorRequest) -> None:
        request.send_response(206)
        request.send_header("Content-Range", "bytes 4-99/*")
        request.send_header("Content-Length", "96")
        request.end_headers()
        request.close_connection = True

    mirror.answers = [broken]
    with pytest.raises(TransientFetchError):
        received(http_source(mirror.url), 4)


@pytest.mark.parametrize(("asked", "waits"), [("7", 7.0), ("3600", 60.0), ("soon", 0.0), ("9" * 5000, 0.0)])
def test_a_server_may_ask_for_a_wait_of_at_most_a_minute(mirror: Mirror, asked: str, waits: float) -> None:
    mirror.answers = [refusing(503, Retry_After=asked)]
    with pytest.raises(TransientFetchError) as raised:
        received(http_source(mirror.url))
    assert raised.value.retry_after_seconds == waits


def test_a_servers_own_words_do_not_drown_the_remedy(mirror: Mirror, cache: Path) -> None:
    def talkative(request: MirrorRequest) -> None:
        request.send_response(403, "x" * 5000)
        request.send_header("Content-Length", "0")
        request.end_headers()

    mirror.answers = [talkative]
    message = fetched(cache, mirror.url, digest(mirror.content)).message
    assert len(message) < 300
    assert message.endswith("spec.model.source.secretRef, or renew the URL of urlSecretKeyRef")


def test_a_server_that_does_not_listen(cache: Path) -> None:
    report = fetched(cache, "http://127.0.0.1:9/base.pt", "0" * 64)
    assert report.reason == "DownloadFailed"
    assert "http://127.0.0.1:9/base.pt could not be reached" in report.message


def test_no_secret_of_an_address_reaches_the_log(mirror: Mirror, root_logger: None) -> None:
    """httpx logs each request with its whole URL, in which a presigned one carries its signature."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    received(http_source(f"{mirror.url}?X-Amz-Signature=hunter2", "Bearer hunter2"))
    assert "hunter2" not in stream.getvalue()


def test_a_proxy_of_the_environment_is_used(mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", mirror.url.rpartition("/")[0])
    assert fetched(cache, "http://models.invalid/base.pt", digest(mirror.content)).reason == "Fetched"
    assert mirror.requests[0]["path"] == "http://models.invalid/base.pt"


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "elsewhere, 127.0.0.1", "*"])
def test_an_address_is_exempt_from_the_proxy(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert received(http_source(mirror.url)) == mirror.content


@pytest.mark.parametrize("no_proxy", ["localhost", ".localhost", "elsewhere, .localhost"])
def test_a_domain_is_exempt_from_the_proxy(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert received(http_source(mirror.url.replace("127.0.0.1", "localhost"))) == mirror.content


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_proxy", "socks5://me:hunter2@proxy:1080"),
        ("all_proxy", "socks5://me:hunter2@proxy:1080"),
        ("http_proxy", "gopher://me:hunter2@proxy:70"),
        ("no_proxy", "\u00b2.example"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    report = fetched(cache, "http://models.invalid/base.pt", "0" * 64)
    assert report.reason == "DownloadFailed"
    assert "ALL_PROXY or NO_PROXY is not valid; for example http://proxy:3128" in report.message
    assert "hunter2" not in report.model_dump_json()
