"""A URL in a message holds no secret."""

from __future__ import annotations

import pytest

from whisper_runtime.fetch.errors import redacted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/base.pt", "https://example.com/base.pt"),
        ("https://me:hunter2@example.com:8443/base.pt?token=hunter2#hunter2", "https://example.com:8443/base.pt"),
        ("file:///etc/passwd", "file:///etc/passwd"),
    ],
)
def test_user_password_and_query_are_left_out(url: str, shown: str) -> None:
    assert redacted(url) == shown
