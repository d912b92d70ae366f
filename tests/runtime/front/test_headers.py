"""What is said of one connection does not pass to the next (RFC 9110, section 7.6)."""

from __future__ import annotations

from whisper_runtime.front.headers import answer_headers, request_headers

HOST = (b"host", b"a")


def test_a_server_gets_what_the_client_says_of_itself_and_of_its_body() -> None:
    headers = [
        (b"authorization", b"Bearer key"),
        (b"content-type", b"audio/wav"),
        (b"prefer", b"wait=5"),
        (b"host", b"a"),
    ]
    assert request_headers(headers, {}) == headers


def test_a_host_is_always_named() -> None:
    """HTTP/1.0 needs none, and HTTP/1.1 lets none go (RFC 9112, section 3.2)."""
    headers = [(b"connection", b"host"), (b"host", b"a")]
    assert request_headers(headers, {}) == [(b"host", b"a")]
    assert request_headers([], {}) == [(b"host", b"")]


def test_what_the_front_has_done_is_not_asked_for_again() -> None:
    headers = [(b"expect", b"100-continue"), (b"content-length", b"5"), (b"origin", b"https://a"), (b"te", b"trailers")]
    assert request_headers([*headers, HOST], {}) == [HOST]


def test_headers_that_connection_names_end_with_it() -> None:
    headers = [(b"connection", b"Keep-Alive, X-Hop"), (b"keep-alive", b"5"), (b"x-hop", b"1"), HOST]
    assert request_headers(headers, {}) == answer_headers(headers) == [HOST]


def test_nobody_speaks_for_the_front() -> None:
    headers = [(b"x-forwarded-for", b"10.0.0.1"), (b"x-request-id", b"?"), HOST]
    own = {b"x-forwarded-for": b"192.0.2.1", b"x-request-id": b"1"}
    assert request_headers(headers, own) == [HOST, *own.items()]


def test_a_client_gets_the_answer_as_it_is_encoded_and_one_date() -> None:
    headers = [(b"Date", b"now"), (b"Content-Length", b"5"), (b"Retry-After", b"1"), (b"Transfer-Encoding", b"chunked")]
    assert answer_headers(headers) == [(b"content-length", b"5"), (b"retry-after", b"1")]
