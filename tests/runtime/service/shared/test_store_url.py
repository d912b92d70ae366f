"""A store's URL is read as redis-cli reads it; a message about a wrong one has nothing of it."""

from __future__ import annotations

import pytest

from whisper_runtime.service.shared.store_url import StoreUrl


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://valkey", StoreUrl("valkey", 6379, False, None, None, 0)),
        ("redis://valkey.store:6380/2", StoreUrl("valkey.store", 6380, False, None, None, 2)),
        ("rediss://:pw@valkey", StoreUrl("valkey", 6379, True, None, "pw", 0)),
        ("rediss://whisper:p%40ss%2Fword@valkey/", StoreUrl("valkey", 6379, True, "whisper", "p@ss/word", 0)),
        ("redis://[2001:db8::1]:6379", StoreUrl("2001:db8::1", 6379, False, None, None, 0)),
    ],
)
def test_what_is_read(text: str, expected: StoreUrl) -> None:
    assert StoreUrl.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "redis+sentinel://a,b:26380/speech",
            StoreUrl("", 0, False, None, None, 0, (("a", 26379), ("b", 26380)), "speech"),
        ),
        (
            "rediss+sentinel://whisper:p%40ss@[2001:db8::1]:1/speech/2?sentinel_password=se&sentinel_username=u",
            StoreUrl("", 0, True, "whisper", "p@ss", 2, (("2001:db8::1", 1),), "speech", "u", "se"),
        ),
    ],
)
def test_sentinels_and_the_name_of_the_primary_are_read(text: str, expected: StoreUrl) -> None:
    assert StoreUrl.parse(text) == expected
    assert "p@ss" not in repr(expected)


@pytest.mark.parametrize(
    "text",
    [
        "redis+sentinel://a:26379",
        "redis+sentinel:///speech",
        "redis+sentinel://sesame@a,,b/speech",
        "redis+sentinel://a:sesame/speech",
        "http+sentinel://a/sesame",
        "redis+sentinel://a/speech/sesame",
        "redis+sentinel://a/speech?sesame=1",
        f"redis+sentinel://{','.join('abcdefghij')}/speech",
    ],
)
def test_what_names_no_sentinels_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write redis") as error:
        StoreUrl.parse(text)
    assert "sesame" not in str(error.value)


def test_a_primary_that_is_not_known_yet_is_named_by_its_sentinels() -> None:
    url = StoreUrl.parse("redis+sentinel://a,b:26380/speech")
    assert url.address == "speech, of the sentinels a:26379, b:26380"
    assert url.at("10.0.0.1", 6379).address == "10.0.0.1:6379"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "valkey:6379",
        "https://sesame@valkey",
        "redis://",
        "redis://user:sesame/word@valkey",
        "redis://user:sesame#word@valkey",
        "redis://user:sesame?word@valkey",
        "redis://valkey:sesame",
        "redis://valkey:99999",
        "redis://valkey/sesame",
        "redis://valkey/-1",
        "redis://valkey/12345",
        "redis://[sesame",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write rediss://user:password@host:6379/0") as error:
        StoreUrl.parse(text)
    assert "sesame" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_password_does_not_show() -> None:
    assert "sesame" not in repr(StoreUrl.parse("redis://:sesame@valkey"))


@pytest.mark.parametrize(("host", "address"), [("valkey", "valkey:6379"), ("[::1]", "[::1]:6379")])
def test_an_address_is_written_as_in_a_url(host: str, address: str) -> None:
    assert StoreUrl.parse(f"redis://{host}").address == address
