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
