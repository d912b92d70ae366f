"""Durations, sizes and quantities as users write them."""

from __future__ import annotations

import pytest

from whisper_operator.api.units import canonical_quantity, duration_seconds, size_bytes


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("1h30m", 5400), ("720h", 2592000)])
def test_durations(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "1.5h", "0s", "721h", "ten minutes", "1d"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid duration|is out of bounds"):
        duration_seconds(text)


@pytest.mark.parametrize(("text", "size"), [("100Mi", 104857600), ("1k", 1000), ("1.5Gi", 1610612736), ("5", 5)])
def test_sizes(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0", "100MB", "-1", "0.5"])
def test_an_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid (size|quantity)"):
        size_bytes(text)


@pytest.mark.parametrize(
    ("written", "stored"),
    [("1024Mi", "1Gi"), ("0.5", "500m"), ("1000m", "1"), (2, "2"), ("1500M", "1500M"), ("1000k", "1M"), ("0", "0"),
     ("0.5Gi", "512Mi"), ("2147483648", "2147483648")],
)  # fmt: skip
def test_quantities_as_the_api_server_stores_them(written: str | int, stored: str) -> None:
    assert canonical_quantity(written) == stored
