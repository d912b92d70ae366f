"""The version of this release, which all three programs print."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
