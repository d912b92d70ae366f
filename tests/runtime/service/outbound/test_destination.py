"""A URL's server is taken from it once, and has to be one that is allowed, by its scheme and on its port."""

from __future__ import annotations

import pytest

from whisper_runtime.contract.outbound import AllowedHost
from whisper_runtime.service.outbound.destination import Destination, destination, parsed
from whisper_runtime.service.outbound.errors import OutboundError, OutboundReason

ALLOWED = tuple(
    map(AllowedHost.parse, ("files.example.com", "*.cdn.example.com", "http://minio:9000", "xn--bcher-kva.de"))
)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://files.example.com/a.mp3?X-Amz-Signature=1", Destination("https", "files.example.com", 443)),
        ("https://files.example.com:443/a.mp3#t=1", Destination("https", "files.example.com", 443)),
        ("HTTPS://FILES.Example.COM", Destination("https", "files.example.com", 443)),
        ("https://eu.a.cdn.example.com/a", Destination("https", "eu.a.cdn.example.com", 443)),
        ("http://minio:9000/a", Destination("http", "minio", 9000)),
        ("https://bücher.de/a", Destination("https", "xn--bcher-kva.de", 443)),
    ],
)
def test_a_url_on_an_allowed_host(url: str, wanted: Destination) -> None:
    assert destination(parsed(url), ALLOWED) == wanted


@pytest.mark.parametrize(
    ("url", "reason", "problem"),
    [
        ("", "Invalid", "https://"),
        ("a.mp3", "Invalid", "https://"),
        (" https://files.example.com/a.mp3", "Invalid", "https://"),
        ("//files.example.com/a.mp3", "Invalid", "https://"),
        ("ftp://files.example.com/a.mp3", "Invalid", "https://"),
        ("file:///etc/passwd", "Invalid", "https://"),
        ("data:audio/wav;base64,UklGRg==", "Invalid", "https://"),
        ("gopher://files.example.com/", "Invalid", "https://"),
        ("https:///a.mp3", "Invalid", "https://"),
        ("https://files.example.com:abc/", "Invalid", "not a valid URL"),
        ("https://files.example.com\r\nHost: evil/", "Invalid", "not a valid URL"),
        ("https://[::1/a.mp3", "Invalid", "not a valid URL"),
        ("https://user:secret@files.example.com/", "Invalid", "never sent"),
        ("https://files.example.com@evil.org/", "Invalid", "never sent"),
        ("https://evil.org/a.mp3", "NotAllowed", "is on evil.org, to which this server does not connect by https"),
        ("http://files.example.com/a.mp3", "NotAllowed", "does not connect by http"),
        ("https://files.example.com:8443/", "NotAllowed", "by https and port 8443"),
        ("https://files.example.com:99999/", "NotAllowed", "port 99999"),
        ("https://minio:9000/", "NotAllowed", "by https and port 9000"),
        ("https://files.example.com./", "NotAllowed", "files.example.com."),
        ("https://files.example.com.evil.org/", "NotAllowed", "evil.org"),
        ("https://cdn.example.com/", "NotAllowed", "cdn.example.com"),
        ("https://127.0.0.1/", "NotAllowed", "127.0.0.1"),
        ("https://2130706433/", "NotAllowed", "2130706433"),
        ("https://[::1]/", "NotAllowed", "::1"),
        ("https://[::ffff:127.0.0.1]/", "NotAllowed", "::ffff:127.0.0.1"),
        (f"https://{'a' * 64}.cdn.example.com/", "Invalid", "name is not valid"),
        ("https://.cdn.example.com/", "Invalid", "name is not valid"),
        (f"https://{'a.' * 125}cdn.example.com/", "Invalid", "name is not valid"),
    ],
)
def test_what_is_refused_says_why(url: str, reason: OutboundReason, problem: str) -> None:
    with pytest.raises(OutboundError) as refused:
        destination(parsed(url), ALLOWED)
    assert refused.value.reason == reason
    assert problem in refused.value.problem


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.org\\@files.example.com/",
        "https://evil.org%2f@files.example.com/",
        "https://evil.org#@files.example.com/",
        "https://evil.org?@files.example.com/",
        "https://files.example.com%2eevil.org/",
        "https://files.example.com%00.evil.org/",
        "https://ⓕiles.example.com.evil.org/",
    ],
)
def test_no_second_reading_of_a_url_makes_it_another_host(url: str) -> None:
    with pytest.raises(OutboundError):
        destination(parsed(url), ALLOWED)


def test_nothing_allowed_allows_nothing() -> None:
    with pytest.raises(OutboundError):
        destination(parsed("https://files.example.com/"), ())


def test_a_refusal_repeats_neither_path_nor_query_nor_more_of_a_host_than_fits() -> None:
    with pytest.raises(OutboundError) as refused:
        destination(parsed(f"https://{'a' * 3000}.org/path?signature=secret"), ALLOWED)
    assert len(refused.value.problem) < 200
    assert "secret" not in refused.value.problem
    assert "path" not in refused.value.problem
