"""Data URLs (RFC 2397), whose content is in base64; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HEAD: Final = re.compile(r"data:(?P<type>[^;,]{0,100})(?:;[^;,]{0,100}){0,4};base64,", re.IGNORECASE)


@dataclass(frozen=True)
class DataUrl:
    media_type: str
    """As the URL declares it; empty where it does not."""
    base64: str
    """The content, not decoded."""


def data_url(text: str) -> DataUrl | None:
    """The parts of a data URL; None: `text` is none, or none in base64."""
    found = HEAD.match(text)
    return DataUrl(found["type"], text[found.end() :]) if found else None
