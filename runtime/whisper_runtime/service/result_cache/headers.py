"""Names of the headers in which the cache says what it did."""

from __future__ import annotations

from typing import Final

CACHE_STATUS: Final = "Cache-Status"
CACHE_HEADERS: Final = (CACHE_STATUS, "Age")
"""For CORS: a web page may read them."""
