"""The client of a verification: whole requests, and requests whose body never comes or never ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.mirror import Mirror, MirrorRequest, refusing, serving
from tests.support.runtime_server import fake_server
from whisper_runtime.verify import client
from whisper_runtime.verify.client import NoResponse, ServerBusy, ServiceClient


@pytest.fixture
def deaf() -> Iterator[str]:
    """Accepts connections, and neither reads nor answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_does_not_read_gives_no_answer_to_a_body_without_end(deaf: str) -> None:
    response, sent = ServiceClient(deaf, None, 1).pour("/transcribe", {}, seconds=0.5, limit=1024**3)
    assert response is None
    assert sent > 0


def test_a_body_without_end_has_a_limit(deaf: str) -> None:
    response, sent = ServiceClient(deaf, None, 1).pour("/transcribe", {}, seconds=60, limit=1)
    assert (response, sent) == (None, 64 * 1024)


def test_a_server_that_does_not_answer_in_time_is_no_response(deaf: str) -> None:
    with pytest.raises(NoResponse, match="no answer: timed out"):
        ServiceClient(deaf, None, 0.1).get("/v1/models")
    with pytest.raises(NoResponse, match="no answer: timed out"):
        ServiceClient(deaf, None, 60).announce("/transcribe", 1 << 40, seconds=0.1)


def test_a_response_may_come_before_the_body_ends() -> None:
    with fake_server(FakeEngine(), max_upload_bytes=1024) as url:
        server = ServiceClient(url, None, 60)
        announced = server.announce("/transcribe", 1 << 40, seconds=60)
        poured, _ = server.pour("/transcribe", {}, seconds=60, limit=1 << 30)
    assert poured is not None
    assert (announced.status, poured.status) == (413, 413)
    assert announced.headers["content-type"] == "application/json"
    assert server.request_count == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_as_late_as_it_says(status: int) -> None:
    with serving(Mirror(b"", [refusing(status, **{"Retry-After": "0"}), refusing(200)])) as mirror:
        server = ServiceClient(mirror.url, None, 60)
        assert server.get("").status == 200
    assert server.request_count == 2


def test_a_refusal_that_names_no_time_is_the_response() -> None:
    with serving(Mirror(b"", [refusing(503)])) as mirror:
        assert ServiceClient(mirror.url, None, 60).get("").status == 503


def test_a_server_that_stays_busy_is_given_up() -> None:
    with serving(Mirror(b"", [refusing(429, **{"Retry-After": "60"})])) as mirror:
        server = ServiceClient(mirror.url, None, 60, patience=30)
        with pytest.raises(ServerBusy, match="the server has been busy for 30 s: it answered 429"):
            server.get("")


def test_the_key_is_sent_and_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(Mirror(b"", [refusing(200)])) as mirror:
        server = ServiceClient(mirror.url.removesuffix("base.pt") + "prefix/", "key-of-alice", 60)
        server.get("/v1/models")
        server.request("GET", "/v1/models", {})
    assert [one.get("authorization") for one in mirror.requests] == ["Bearer key-of-alice", None]
    assert mirror.requests[0]["path"] == "/prefix/v1/models"


def test_a_redirect_is_not_followed() -> None:
    with serving(Mirror(b"", [refusing(302, Location="http://elsewhere.invalid")])) as mirror:
        assert ServiceClient(mirror.url, "key-of-alice", 60).get("").status == 302


def test_a_large_response_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_BODY", 10)

    def large(request: MirrorRequest) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(bytes(100))

    with serving(Mirror(b"", [large])) as mirror:
        assert ServiceClient(mirror.url, None, 60).get("").body == bytes(10)


@pytest.mark.parametrize("url", ["meetings.default.svc", "ftp://meetings", "http://", "http:///path"])
def test_an_address_that_is_not_a_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid URL; for example http://meetings\.default\.svc"):
        ServiceClient(url, None, 60)
