from __future__ import annotations

import pytest

from whisper_runtime.http.openai.data_url import DataUrl, data_url


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data:audio/wav;base64,UklGRg==", DataUrl("audio/wav", "UklGRg==")),
        ("DATA:audio/ogg;codecs=opus;BASE64,AA", DataUrl("audio/ogg", "AA")),
        ("data:;base64,", DataUrl("", "")),
        ("data:audio/wav,abc", None),  # not in base64
        ("https://example.com/a.wav", None),
        ("UklGRg==", None),
        ("data:" + "x" * 101 + ";base64,", None),
    ],
)
def test_a_data_url(text: str, found: DataUrl | None) -> None:
    assert data_url(text) == found
