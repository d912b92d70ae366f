"""Redirects lead to web servers alone, a bounded number of times, and take no credentials to another origin."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror, MirrorRequest, refusing, serving, whole
from tests.runtime.fetch.conftest import digest, fetched, http_source, name_of, received, visible
from whisper_runtime.fetch.errors import FetchError, TransientFetchError
from whisper_runtime.fetch.source_http import MAX_REDIRECTS


def test_credentials_go_to_no_other_origin(mirror: Mirror, cache: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_text("hunter2")
    with serving(Mirror(content, [whole])) as elsewhere:
        mirror.answers = [refusing(302, Location="/moved"), refusing(302, Location=elsewhere.url)]
        fetched(cache, mirror.url, digest(content), model_credentials_dir=str(tmp_path))
        assert [one.get("authorization") for one in mirror.requests] == ["Bearer hunter2"] * 2
        assert elsewhere.requests[0].get("authorization") is None
    assert visible(cache) == [name_of(content)]


def test_credentials_do_not_come_back_with_a_redirect_to_their_origin(mirror: Mirror, content: bytes) -> None:
    with serving(Mirror(content, [refusing(302, Location=mirror.url)])) as elsewhere:
        mirror.answers = [refusing(302, Location=elsewhere.url), whole]
        received(http_source(mirror.url, "Bearer hunter2"))
    assert [one.get("authorization") for one in mirror.requests] == ["Bearer hunter2", None]


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("ftp://elsewhere/base.pt", "ftp:// is neither http:// nor https://"),
        ("ws://elsewhere/base.pt", "ws:// is neither http:// nor https://"),
        ("http://[elsewhere/base.pt", "Invalid IPv6 URL"),
        ("http://127.0.0.1:99999/", "Port out of range"),
        (f"http://{'a' * 80}.example/", "label"),
        ("data:text/plain,PK", ""),
    ],
)
def test_a_redirect_that_leads_to_no_web_server_is_not_followed(mirror: Mirror, location: str, says: str) -> None:
    mirror.answers = [refusing(302, Location=location)]
    with pytest.raises(FetchError, match=f"leads to an address that is not valid: .*{says}") as raised:
        received(http_source(mirror.url))
    assert not isinstance(raised.value, TransientFetchError)


def test_redirects_have_a_bound(mirror: Mirror) -> None:
    mirror.answers = [refusing(302, Location="/again")]
    with pytest.raises(FetchError, match=f"redirects more than {MAX_REDIRECTS} times") as raised:
        received(http_source(mirror.url))
    assert not isinstance(raised.value, TransientFetchError)
    assert len(mirror.requests) == 1 + MAX_REDIRECTS


def test_a_redirect_without_an_address_is_an_error(mirror: Mirror) -> None:
    mirror.answers = [refusing(302)]
    with pytest.raises(FetchError, match="answered 302 Found"):
        received(http_source(mirror.url))


def test_the_body_of_a_redirect_is_not_read(mirror: Mirror) -> None:
    """A hostile one has no end."""

    def endless(request: MirrorRequest) -> None:
        request.send_response(302)
        request.send_header("Location", "/moved")
        request.end_headers()
        request.close_connection = True
        with contextlib.suppress(ConnectionError):
            while not request.mirror.over.is_set():
                request.wfile.write(bytes(1 << 16))

    mirror.answers = [endless, whole]
    assert received(http_source(mirror.url)) == mirror.content
